"""Archives in files and in memory, whole and hostile ones. What is printed is what CPython 3.13 prints."""
import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import zipfile
import zlib

# A zip in a file: written in every way, listed, tested, read, unpacked.
os.makedirs("in/deep", exist_ok=True)
with open("in/deep/a.txt", "w") as file:
    file.write("alpha\n" * 100)
with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for name, kind in [("b.txt", zipfile.ZIP_STORED), ("c/d.txt", zipfile.ZIP_BZIP2), ("ü.txt", zipfile.ZIP_LZMA)]:
        archive.writestr(zipfile.ZipInfo(name, (2024, 2, 29, 12, 30, 58)), name * 50, kind)
    archive.write("in/deep/a.txt", "renamed.txt")
    with archive.open("streamed", "w") as stream:
        for number in range(1000):
            stream.write(b"%d " % number)
    archive.comment = b"a comment"
with zipfile.ZipFile("a.zip") as archive:
    print(archive.namelist(), archive.testzip(), archive.comment)
    for info in archive.infolist():
        print(info.filename, info.file_size, info.compress_type, hex(info.CRC), info.is_dir())
    print(archive.getinfo("b.txt").date_time, archive.read("ü.txt").decode()[:10], archive.open("streamed").read(12))
    archive.extractall("out")
    print(sorted(os.listdir("out")), open("out/c/d.txt").read()[:7], sorted(path.name for path in zipfile.Path(archive).iterdir()))
    print((zipfile.Path(archive) / "c" / "d.txt").read_text()[:7])
with zipfile.ZipFile("a.zip", "a") as archive:
    archive.writestr("late.txt", "late")
print(zipfile.is_zipfile("a.zip"), zipfile.is_zipfile("in/deep/a.txt"), len(zipfile.ZipFile("a.zip").namelist()))

memory = io.BytesIO()
with zipfile.ZipFile(memory, "w") as archive:
    archive.mkdir("folder")
    for name in ("../climbs.txt", "/absolute.txt", "a/../../b.txt"):
        archive.writestr(name, name)
with zipfile.ZipFile(memory) as archive:
    print(archive.namelist())
    for name in archive.namelist():
        print(name, "->", os.path.relpath(archive.extract(name, "jail"), "jail"))
for wrong in (b"", b"not a zip", memory.getvalue()[:-30], b"PK\x05\x06" + bytes(18)):
    try:
        print(zipfile.ZipFile(io.BytesIO(wrong)).namelist())
    except zipfile.BadZipFile as error:
        print("BadZipFile", error)
data = bytearray(memory.getvalue())
data[data.index(b"../climbs.txt", 30) + 13] ^= 1
try:
    zipfile.ZipFile(io.BytesIO(data)).read("../climbs.txt")
except zipfile.BadZipFile as error:
    print(error)


def member(name, data=b"", **fields):
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), 1_700_000_000
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(data)


# A tar, in every format and compression.
for format in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        memory = io.BytesIO()
        options = {"preset": 0} if mode == "w:xz" else {}
        with tarfile.open(fileobj=memory, mode=mode, format=format, **options) as archive:
            archive.addfile(*member("a.txt", b"alpha", mode=0o600, uname="ann"))
            archive.addfile(*member("folder", type=tarfile.DIRTYPE, mode=0o755))
            archive.addfile(*member("folder/" + "long" * 24, b"x" * 2000))
        memory.seek(0)
        with tarfile.open(fileobj=memory) as archive:
            shown = [(m.name[:12], m.size, m.mtime, oct(m.mode), m.uname, m.isdir()) for m in archive]
            print(format, mode, shown, archive.extractfile("a.txt").read())
        if mode == "w":
            print(zlib.crc32(memory.getvalue()))
with tarfile.open("t.tar.gz", "w:gz") as archive:
    archive.add("in")
with tarfile.open("t.tar.gz") as archive:
    print(archive.getnames(), archive.getmember("in/deep/a.txt").size)
    archive.extractall("unpacked", filter="data")
print(open("unpacked/in/deep/a.txt").read(6), tarfile.is_tarfile("t.tar.gz"), tarfile.is_tarfile("a.zip"))
memory = io.BytesIO()
with tarfile.open(fileobj=memory, mode="w|gz") as archive:
    archive.addfile(*member("s", b"stream"))
memory.seek(0)
with tarfile.open(fileobj=memory, mode="r|*") as archive:
    print([(m.name, archive.extractfile(m).read()) for m in archive])

# Members that would leave the folder.
for fields in (
    {"name": "../climbs"}, {"name": "/absolute"}, {"name": "a/../../b"}, {"name": "device", "type": tarfile.CHRTYPE},
    {"name": "link", "type": tarfile.SYMTYPE, "linkname": "../../x"}, {"name": "hard", "type": tarfile.LNKTYPE, "linkname": "/x"},
):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        archive.addfile(*member(fields.pop("name"), b"", **fields))
    memory.seek(0)
    with tarfile.open(fileobj=memory) as archive:
        try:
            archive.extractall("jail", filter="data")
            print("extracted", archive.getnames())
        except tarfile.FilterError as error:
            print(type(error).__name__)
for wrong in (b"", b"x" * 600, memory.getvalue()[:100]):
    try:
        tarfile.open(fileobj=io.BytesIO(wrong))
    except tarfile.ReadError as error:
        print("ReadError", str(error).splitlines()[0])
