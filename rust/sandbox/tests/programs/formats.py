"""Smaller modules of formats and files. What is printed is what CPython 3.13 prints."""
import dbm.dumb
import filecmp
import fileinput
import http
import io
import mimetypes
import os
import pickletools
import plistlib
import shelve
import wave
from datetime import datetime
from http import HTTPMethod, HTTPStatus
from http.cookies import CookieError, SimpleCookie

for name in ("a.html", "b.tar.gz", "c.PNG", "d.json", "e.unknown", "data:text/csv,1", "http://x/y.pdf?q=1", "f.py", "g.webp"):
    print(name, mimetypes.guess_type(name))
print(mimetypes.guess_extension("text/html"), mimetypes.guess_all_extensions("text/plain")[:3])
mimetypes.add_type("x/thing", ".thing")
print(mimetypes.guess_type("a.thing"), mimetypes.MimeTypes().guess_type("a.svgz"))

thing = {
    "text": "<&>ü", "int": -5, "big": 2**63, "real": 1.5, "yes": True, "data": b"\x00bytes" * 20, "when": datetime(2024, 2, 29, 1, 2, 3),
    "list": [1, [2, {"k": []}]], "uid": {},
}
for format in (plistlib.FMT_XML, plistlib.FMT_BINARY):
    written = plistlib.dumps(thing, fmt=format)
    print(written if format is plistlib.FMT_XML else written[:12], len(written), plistlib.loads(written) == thing)
print(plistlib.loads(plistlib.dumps(plistlib.UID(7), fmt=plistlib.FMT_BINARY)), plistlib.dumps([1], sort_keys=False).count(b"\n"))
for wrong in (b"", b"<plist>", b"<plist><dict><key>a</key></dict></plist>", b"bplist00" + bytes(40), b"<plist><integer>x</integer></plist>",
              b"<!DOCTYPE plist [<!ENTITY e 'x'>]><plist><string>&e;</string></plist>"):
    try:
        print(plistlib.loads(wrong))
    except Exception as error:
        print(type(error).__name__, error)

print(HTTPStatus(404), HTTPStatus.NOT_FOUND.phrase, HTTPStatus.OK == 200, HTTPStatus.GONE.description, HTTPStatus(301).is_redirection)
print(HTTPMethod.GET, HTTPMethod("POST").description, len(http.HTTPStatus), len(HTTPMethod))
cookie = SimpleCookie('a=1; b="two words"; $Path=/x')
cookie["a"]["path"], cookie["a"]["httponly"], cookie["a"]["max-age"] = "/p", True, 60
print(cookie.output(), cookie["b"].value, sorted(cookie))
try:
    cookie["bad name"] = 1
except CookieError as error:
    print(error)

memory = io.BytesIO()
with wave.open(memory, "wb") as sound:
    sound.setnchannels(2)
    sound.setsampwidth(2)
    sound.setframerate(8000)
    sound.writeframes(bytes(range(200)) * 4)
print(memory.getvalue()[:44])
with wave.open(io.BytesIO(memory.getvalue())) as sound:
    print(sound.getparams(), sound.readframes(2))
try:
    wave.open(io.BytesIO(b"RIFF0000"))
except (wave.Error, EOFError) as error:
    print(type(error).__name__, error)

with shelve.Shelf(dbm.dumb.open("shelf", "c"), writeback=True) as shelf:
    shelf["a"] = [1, 2]
    shelf["a"].append(3)
    shelf["b"] = {"deep": (1,)}
with shelve.Shelf(dbm.dumb.open("shelf")) as shelf:
    print(dict(shelf), "a" in shelf, len(shelf))
    del shelf["a"]
print(sorted(dbm.dumb.open("shelf").keys()), sorted(name for name in os.listdir(".") if name.startswith("shelf")))

for name, content in (("one", "1\n2\n"), ("two", "1\n2\n"), ("three", "3\n")):
    os.makedirs("x" if name != "two" else "y", exist_ok=True)
    with open(("y/" if name == "two" else "x/") + "f" + name, "w") as file:
        file.write(content)
for folder in ("x", "y"):
    with open(folder + "/same", "w") as file:
        file.write("same")
    with open(folder + "/other", "w") as file:
        file.write(folder)
print(filecmp.cmp("x/fone", "y/ftwo", shallow=False), filecmp.cmp("x/fone", "x/fthree", shallow=False))
compared = filecmp.dircmp("x", "y", shallow=False)
print(compared.left_only, compared.right_only, compared.same_files, compared.diff_files)
with fileinput.input(["x/fone", "x/fthree"]) as lines:
    for line in lines:
        print(lines.filename(), lines.lineno(), lines.filelineno(), repr(line))
with fileinput.input("x/fone", inplace=True) as lines:
    for line in lines:
        print(line.strip() + "!")
print(open("x/fone").read())
pickletools.dis(b"\x80\x04K\x01\x85\x94.")
