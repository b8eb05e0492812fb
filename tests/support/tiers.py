"""What a test needs decides when it runs: the quick ones first, so that a mistake shows early.

A file that needs more than the standard dependencies says so in its first statement after the imports, in one line:
`pytestmark = pytest.mark.torch`. With `--quick` such files are not even imported.
"""

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TIERS = {
    "slow": "takes more than a few seconds",
    "torch": "needs torch and transformers",
    "browser": "needs Chromium",
    "ranks": "starts several processes of one run; needs torch",
    "vllm": "starts vLLM",
}
"""In the order in which they run, after all that have no mark."""
BY_FIXTURE = {"tiny_model": "torch", "vllm_model": "torch", "chromium": "browser"}
"""Single tests that use one of these need no mark."""
QUICK = "quick"
MARKED = re.compile(rf"^pytestmark = .*\bmark\.({'|'.join(TIERS)})\b", re.MULTILINE)
ABSENT = ("torch", "transformers", "tokenizers", "safetensors", "vllm", "trl", "peft", "bitsandbytes", "playwright")
"""What quick tests must do without, whether it is installed or not."""
SPENT = pytest.StashKey[dict[str, tuple[int, float]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="only tests without torch, vLLM, a browser or a wait")


def pytest_configure(config: pytest.Config) -> None:
    for name, text in TIERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    config.stash[SPENT] = {}
    if config.option.quick:
        for name in ABSENT:
            sys.modules[name] = None  # type: ignore[assignment]  # an import of it fails


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if config.option.quick and collection_path.suffix == ".py" and collection_path.name.startswith("test_"):
        return True if MARKED.search(collection_path.read_text("utf-8")) else None
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        for name in BY_FIXTURE.keys() & getattr(item, "fixturenames", ()):
            item.add_marker(BY_FIXTURE[name])
    if config.option.quick:
        slow = [item for item in items if tier(item) != QUICK]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if tier(item) == QUICK]
    order = [QUICK, *TIERS]
    items.sort(key=lambda item: order.index(tier(item)))  # stable: files stay together


def tier(item: pytest.Item) -> str:
    """The last of those that it is marked with."""
    return next((name for name in reversed(TIERS) if item.get_closest_marker(name)), QUICK)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    begin = time.monotonic()
    result = yield
    spent = item.config.stash[SPENT]
    count, seconds = spent.get(tier(item), (0, 0.0))
    spent[tier(item)] = (count + 1, seconds + time.monotonic() - begin)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    parts = [f"{name} {count} in {seconds:.0f} s" for name, (count, seconds) in config.stash[SPENT].items()]
    terminalreporter.write_line(f"tests: {', '.join(parts)}")
