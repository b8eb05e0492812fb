"""A machine that lacks something is told in one line what to do; a wheel stands in for a compiler where it may."""

import importlib.util
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "setup.py"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script, at work in an empty folder."""
    spec = importlib.util.spec_from_file_location("azr_setup_script", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "Cargo.toml").write_text('[workspace.package]\nversion = "3.2.1"\n', "utf-8")
    (tmp_path / "rust").mkdir()
    (tmp_path / "rust" / "lib.rs").write_text("fn one() {}\n", "utf-8")
    (tmp_path / "python" / "azr").mkdir(parents=True)
    return module


def executable(path: Path, text: str) -> Path:
    """A shell script in the place of a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + text, "utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def only(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """A machine with these programs and no others."""
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, folders)))
    monkeypatch.setenv("HOME", str(folders[0]))


def test_an_old_python_is_told_to_get_uv(script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = executable(tmp_path / "python3.10", "echo 3 10\n")
    monkeypatch.setattr(sys, "executable", str(old))
    with pytest.raises(script.Stop, match=r"^Python 3\.10 is too old, .*uv finds or fetches one$"):
        script.Setup(tmp_path / "venv").check_version(old)


def test_an_old_environment_is_not_used(script: ModuleType, tmp_path: Path) -> None:
    setup = script.Setup(tmp_path / "venv")
    executable(setup.python, "echo 3 9\n")
    with pytest.raises(script.Stop, match=r"remove .*venv first$"):
        setup.environment_of_python()


def test_without_rust_the_line_names_rustup(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path / "empty")
    with pytest.raises(script.Stop, match=r"install rustup \(https://rustup\.rs\)"):
        script.Setup(tmp_path / "venv").toolchain()


def test_without_a_c_compiler_the_line_names_one(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    executable(tmp_path / "bin" / "cargo", "exit 0\n")
    only(monkeypatch, tmp_path / "bin")
    with pytest.raises(script.Stop, match="apt install gcc"):
        script.Setup(tmp_path / "venv").toolchain()


@pytest.mark.parametrize(
    "said",
    [
        "error: Failed to fetch: `https://index.example/simple/torch/`\n  dns error: failed to lookup address",
        "warning: spurious network error (3 tries remaining): Could not resolve host: index.example",
        "WARNING: Retrying after NewConnectionError: Failed to establish a new connection: Network is unreachable",
    ],
)
def test_without_a_network_the_line_says_so(script: ModuleType, tmp_path: Path, said: str) -> None:
    failing = executable(tmp_path / "fails", f"cat <<'END'\n{said}\nEND\nexit 1\n")
    with pytest.raises(script.Failed) as failed:
        script.Setup(tmp_path / "venv").run("torch", [failing])
    assert failed.value.advice().startswith("no network") and "\n" not in failed.value.advice()
    assert said.split("\n")[0] in failed.value.log.read_text("utf-8")


@pytest.mark.parametrize(
    "said",
    [
        "error: Failed to fetch: https://index.example/\n  cause: invalid peer certificate: UnknownIssuer",
        "WARNING: Retrying after SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')",
    ],
)
def test_a_certificate_of_a_proxy_is_no_missing_network(script: ModuleType, tmp_path: Path, said: str) -> None:
    failing = executable(tmp_path / "fails", f"cat <<'END'\n{said}\nEND\nexit 1\n")
    with pytest.raises(script.Failed) as failed:
        script.Setup(tmp_path / "venv").run("tools", [failing])
    assert "SSL_CERT_FILE" in failed.value.advice() and "\n" not in failed.value.advice()


def test_another_failure_is_not_blamed_on_the_network(script: ModuleType, tmp_path: Path) -> None:
    failing = executable(tmp_path / "fails", "echo error: could not compile azr; exit 1\n")
    with pytest.raises(script.Failed) as failed:
        script.Setup(tmp_path / "venv").run("engine", [failing])
    assert failed.value.advice() is None


def test_a_job_server_is_not_handed_on(script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MAKEFLAGS", " -j2 --jobserver-auth=3,4")
    assert script.Setup(tmp_path / "venv").run("tools", ["/bin/sh", "-c", "echo flags=$MAKEFLAGS"]) == ["flags="]


class TestWheel:
    """The wheel of this version stands in for a compiler where the tag has these very sources."""

    @pytest.fixture
    def setup(self, script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
        for name in ("GIT_DIR", "GIT_WORK_TREE"):
            monkeypatch.delenv(name, raising=False)
        for name in ("AUTHOR", "COMMITTER"):
            monkeypatch.setenv(f"GIT_{name}_NAME", "someone")
            monkeypatch.setenv(f"GIT_{name}_EMAIL", "someone@example.org")
        for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "-m", "feat: all"]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        setup = script.Setup(tmp_path / ".venv")
        setup.display.begin("engine")

        def install(*arguments: object, **_: object) -> None:
            assert "azr==3.2.1" in arguments
            module = tmp_path / ".venv" / "wheel" / "azr" / "_azr.abi3.so"
            module.parent.mkdir(parents=True)
            module.write_bytes(b"engine")

        monkeypatch.setattr(setup, "install", install)
        return setup

    @staticmethod
    def tag(folder: Path) -> None:
        subprocess.run(["git", "tag", "v3.2.1"], cwd=folder, check=True)

    def test_of_the_same_sources_is_taken(self, setup: Any, tmp_path: Path) -> None:
        self.tag(tmp_path)
        (tmp_path / "README.md").write_text("changed since\n", "utf-8")
        assert "no compiler needed" in setup.fetched("3.2.1")
        assert (tmp_path / "python" / "azr" / "_azr.abi3.so").read_bytes() == b"engine"
        assert not (tmp_path / ".venv" / "wheel").exists()

    def test_of_other_sources_is_not(self, setup: Any, tmp_path: Path) -> None:
        self.tag(tmp_path)
        (tmp_path / "rust" / "lib.rs").write_text("fn two() {}\n", "utf-8")
        assert setup.fetched("3.2.1") is None

    def test_of_no_tag_is_not(self, setup: Any) -> None:
        assert setup.fetched("3.2.1") is None


def test_steps_beside_each_other_are_one_line_each(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = script.Setup(tmp_path / "venv")
    monkeypatch.setattr(setup, "engine", lambda: "compiled")
    monkeypatch.setattr(setup, "torch", lambda: "CPU build")
    setup.work("engine", "torch")
    assert sorted(capsys.readouterr().out.splitlines()) == ["  engine   compiled, 0 s", "  torch    CPU build, 0 s"]


def test_what_runs_beside_a_failed_step_is_ended(script: ModuleType, tmp_path: Path) -> None:
    setup = script.Setup(tmp_path / "venv")
    started = threading.Event()

    def downloads() -> str:
        setup.run("torch", ["/bin/sh", "-c", "echo started; exec sleep 1000"], lambda _: started.set())
        return "never"

    def fails() -> str:
        assert started.wait(60)
        raise script.Stop("no Rust")

    setup.torch, setup.engine = downloads, fails
    with pytest.raises(script.Stop, match="no Rust"):
        setup.work("engine", "torch")
    setup.stop()
    assert setup.children[0].wait(60) != 0


def test_the_script_compiles_for_pythons_that_are_too_old() -> None:
    import ast

    ast.parse(SCRIPT.read_text("utf-8"), feature_version=(3, 6))


def told(folder: Path, uv: str) -> list[str]:
    """What the script tells where uv does this."""
    executable(folder / "uv", uv)
    done = subprocess.run(
        [sys.executable, SCRIPT, "tools", "--venv", folder / "venv"],
        capture_output=True, text=True, env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr.splitlines()


def test_where_the_log_tells_what_to_do_one_line_says_it(tmp_path: Path) -> None:
    [line] = told(tmp_path, "echo 'error: error sending request for url'; echo 'cause: dns error'; exit 2\n")
    assert line.startswith("no network, or an index that cannot be reached")


def test_another_failed_step_is_one_line_after_its_logs_end(tmp_path: Path) -> None:
    *log, line = told(tmp_path, "echo 'error: a file is in the way'; exit 2\n")
    assert log == ["    error: a file is in the way"]
    assert line.startswith("`tools` failed (all of it: ")
