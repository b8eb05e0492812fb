"""Packages from wheels: what is pure Python is importable, and what is not what it should be is refused by name."""

import base64
import hashlib
import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from azr.errors import SandboxError
from azr.sandbox import OutcomeKind, Sandbox, Wheel, packages

SHAPES = {
    "shapes/__init__.py": "from . import square\nfrom .square import area\nDOUBLED = [area(n) * 2 for n in range(3)]\n",
    "shapes/square.py": "def area(side):\n    return side * side\n",
    "shapes/deep/__init__.py": "from ..square import area as also\nfrom . import __name__ as own\n",
    "shapes/deep/colour.py": "# -*- coding: latin-1 -*-\nRED = 'ros\xe9'\n".encode("latin-1"),
    "shapes/py.typed": "",
    "shapes/square.pyi": "def area(side: int) -> int: ...\n",
    "single.py": "import shapes.deep.colour\nNAME = shapes.deep.colour.RED\n",
    "shapes-1.0.data/purelib/moved.py": "HERE = True\n",
    "shapes-1.0.data/scripts/run.py": "raise SystemExit\n",
}
DIST = "shapes-1.0.dist-info"
PURE = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def recorded(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """The files of a wheel, with its RECORD."""
    whole = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    rows = []
    for path, content in whole.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}\n")
    return {**whole, f"{DIST}/RECORD": "".join([*rows, f"{DIST}/RECORD,,\n"]).encode()}


def written(folder: Path, contents: Mapping[str, bytes], change: Callable[[bytes], bytes] = bytes) -> Wheel:
    """A file of these contents, named with its hash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    data = change(buffer.getvalue())
    file = folder / "shapes-1.0-py3-none-any.whl"
    file.write_bytes(data)
    return Wheel(file, hashlib.sha256(data).hexdigest())


def wheel(folder: Path, files: Mapping[str, str | bytes]) -> Wheel:
    """A sound wheel of these files."""
    return written(folder, recorded({**files, f"{DIST}/WHEEL": PURE}))


def value(sandbox: Sandbox, program: str) -> object:
    outcome = sandbox.run(f"{program}\ndef f(x):\n    return answer", call="0")
    assert outcome.value is not None, outcome
    return outcome.value.to_python()


def refused(*wheels: Wheel) -> str:
    """Why a sandbox cannot have these."""
    with pytest.raises(SandboxError) as caught:
        Sandbox(threads=1, packages=wheels)
    assert caught.value.code == "bad_package"
    return str(caught.value)


def test_modules_of_a_wheel_are_imported_by_programs(tmp_path: Path) -> None:
    sandbox = Sandbox(threads=1, packages=[wheel(tmp_path, SHAPES)])
    assert value(sandbox, "import shapes\nanswer = shapes.DOUBLED, shapes.square.area(5)") == ([0, 2, 8], 25)
    assert value(sandbox, "from shapes.deep import also, own\nanswer = also(3), own") == (9, "shapes.deep")
    assert value(sandbox, "import single, moved\nanswer = single.NAME, moved.HERE") == ("ros\xe9", True)
    assert sandbox.left_out == {}
    assert sandbox.run("import run").kind is OutcomeKind.RAISED


def test_a_package_stays_one_where_nothing_is_below_it(tmp_path: Path) -> None:
    files = {"alone/__init__.py": "VERSION = 1\nfrom . import VERSION as again\n"}
    sandbox = Sandbox(threads=1, packages=[wheel(tmp_path, files)])
    assert value(sandbox, "import alone\nanswer = alone.again, alone.__package__") == (1, "alone")


def test_every_program_finds_the_package_as_it_was(tmp_path: Path) -> None:
    sandbox = Sandbox(threads=1, packages=[wheel(tmp_path, SHAPES)])
    for _ in range(3):
        assert value(sandbox, "import shapes\nshapes.DOUBLED.append(1)\nanswer = len(shapes.DOUBLED)") == 4


def test_what_cannot_be_imported_is_named_and_the_rest_is_there(tmp_path: Path) -> None:
    files = {
        **SHAPES,
        "shapes/fast.py": "\nimport numpy\n",
        "shapes/uses_fast.py": "from shapes.fast import numpy\n",
        "shapes/sub/__init__.py": "import shapes.fast\n",
        "shapes/sub/below.py": "FINE = 1\n",
        "shapes/__main__.py": "raise SystemExit\n",
        "shapes/table.csv": "1,2\n",
        "shapes/not-a-name.py": "",
        "shapes/bytes.py": b"# coding: utf-8\nx = '\xff'\n",
    }
    sandbox = Sandbox(threads=1, packages=[wheel(tmp_path, files)])
    assert value(sandbox, "import shapes.square\nanswer = shapes.square.area(2)") == 4
    left_out = sandbox.left_out
    assert left_out.keys() == {
        "shapes.fast", "shapes.uses_fast", "shapes.sub", "shapes.sub.__init__", "shapes.sub.below", "shapes.__main__",
        "shapes/table.csv", "shapes/not-a-name.py", "shapes.bytes",
    }  # fmt: skip
    assert left_out["shapes.fast"] == "line 2: ModuleNotFoundError: No module named 'numpy'"
    assert "shapes.fast" in left_out["shapes.uses_fast"]
    assert sandbox.run("import shapes.sub.below").exception == "ModuleNotFoundError"


def test_a_package_that_cannot_be_imported_is_refused_with_the_first_cause(tmp_path: Path) -> None:
    files = {"shapes/__init__.py": "from . import fast\n", "shapes/fast.py": "import numpy\n"}
    why = refused(wheel(tmp_path, files))
    assert "`shapes`" in why and "No module named 'numpy'" in why


def test_a_sandbox_goes_to_another_process_without_the_file(tmp_path: Path) -> None:
    made = wheel(tmp_path, {**SHAPES, "shapes/fast.py": "import numpy\n"})
    sandbox = Sandbox(threads=1, packages=[made])
    Path(made.file).unlink()
    again = pickle.loads(pickle.dumps(sandbox)).with_modules({"mine": "import shapes\nSIDE = shapes.square.area(4)"})
    assert value(again, "import mine\nanswer = mine.SIDE") == 16
    assert again.left_out == sandbox.left_out and "shapes.fast" in again.left_out


def test_another_hash_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.whl").write_bytes(b"no archive at all")
    assert "has the SHA-256" in refused(Wheel(tmp_path / "x.whl", "0" * 64))
    assert "cannot be read" in refused(Wheel(tmp_path / "gone.whl", "0" * 64))


def test_a_hash_is_taken_as_lock_files_write_it(tmp_path: Path) -> None:
    made = wheel(tmp_path, SHAPES)
    Sandbox(threads=1, packages=[Wheel(str(made.file), f"sha256:{made.sha256.upper()}")])


def test_native_code_is_refused_by_its_name(tmp_path: Path) -> None:
    assert "shapes/_fast.abi3.so" in refused(wheel(tmp_path, {**SHAPES, "shapes/_fast.abi3.so": b"\x7fELF"}))
    impure = recorded({**SHAPES, f"{DIST}/WHEEL": PURE.replace("true", "false")})
    assert "Root-Is-Purelib" in refused(written(tmp_path, impure))


@pytest.mark.parametrize("path", ["../x.py", "/x.py", "a/../../x.py", "a\\..\\x.py", "C:/x.py"])
def test_a_path_that_leads_out_is_refused(tmp_path: Path, path: str) -> None:
    assert "a file outside of it" in refused(wheel(tmp_path, {**SHAPES, path: ""}))


def test_a_file_that_the_record_does_not_vouch_for_is_refused(tmp_path: Path) -> None:
    sound = recorded({**SHAPES, f"{DIST}/WHEEL": PURE})
    assert "RECORD" in refused(written(tmp_path, {**sound, "shapes/square.py": b"changed = 1\n"}))
    assert "RECORD" in refused(written(tmp_path, {**sound, "shapes/added.py": b""}))
    assert "RECORD" in refused(written(tmp_path, {**sound, f"{DIST}/RECORD": b""}))


def test_a_bomb_is_refused_at_the_bound_whatever_its_header_says(tmp_path: Path) -> None:
    bomb = {**SHAPES, "shapes/bomb.py": b"#" * (packages.MOST_BYTES + 1)}
    assert "unpacks to more than" in refused(wheel(tmp_path, bomb))
    size = (packages.MOST_BYTES + 1).to_bytes(4, "little")

    def small(data: bytes) -> bytes:
        assert data.count(size) == 2
        return data.replace(size, (10).to_bytes(4, "little"))

    # With a forged size the archive reads ten bytes, of another checksum.
    assert "is damaged" in refused(written(tmp_path, recorded({**bomb, f"{DIST}/WHEEL": PURE}), small))


def test_too_many_files_and_too_large_a_file_are_refused(tmp_path: Path) -> None:
    many = {f"shapes/m{n}.py": "" for n in range(packages.MOST_FILES)}
    assert f"more than {packages.MOST_FILES} files" in refused(wheel(tmp_path, many))
    large = tmp_path / "large.whl"
    large.write_bytes(bytes(packages.MOST_WHEEL + 1))
    assert f"more than {packages.MOST_WHEEL} bytes" in refused(Wheel(large, "0" * 64))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    sound = recorded({**SHAPES, f"{DIST}/WHEEL": PURE})
    whole = len(Path(written(tmp_path, sound).file).read_bytes())
    for at in range(0, whole, 31):
        with pytest.raises(SandboxError) as caught:
            written(tmp_path, sound, lambda data, at=at: data[:at]).sources()
        assert caught.value.code == "bad_package"
        flipped = written(tmp_path, sound, lambda data, at=at: data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :])
        try:
            # A bit of what does not matter, such as a date, may differ.
            assert flipped.sources().modules.keys() <= packages.gather([written(tmp_path, sound)]).modules.keys()
        except SandboxError as error:
            assert error.code == "bad_package"


def test_two_wheels_do_not_bring_one_module(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert "another wheel has brought" in refused(wheel(tmp_path, SHAPES), wheel(other, SHAPES))


def test_a_module_of_pythons_is_not_replaced(tmp_path: Path) -> None:
    assert "Python has a module of this name" in refused(wheel(tmp_path, {"json/__init__.py": "loads = None\n"}))
