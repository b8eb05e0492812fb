"""Take the pictures of a run: python docs/pictures/shoot.py RUN [FOLDER]

RUN is a run folder, such as that of `azr train --run RUN --set evals.every=10`. The pictures are parts of its report
and the top of the live page, in Chromium (`make browser`), light and dark. Those of `make train-real` are in `smollm2`.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azr.report.build import build, write
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
THEMES = ("light", "dark")
SHOWN = {
    "run": ("#chart-probe", "#chart-passed", "#chart-score", "#chart-proposer-reward"),
    "difficulty": ("#chart-band", "#chart-solve-rate"),
}
"""By picture: the charts that it shows, two in a row."""


def main(run: Path, folder: Path = HERE) -> None:
    """Make the report of a run and photograph parts of it; then the live page."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        write(build([run]), page)
        for theme in THEMES:
            with opened(page.as_uri(), theme) as report:
                _gallery(report, folder / f"gallery-{theme}.png")
                for name, charts in SHOWN.items():
                    _charts(report, charts, folder / f"{name}-{theme}.png")
    with served(run) as address:
        for theme in THEMES:
            with opened(address, theme) as live:
                live.screenshot(path=folder / f"watch-{theme}.png")


@contextmanager
def opened(address: str, theme: str) -> Iterator[Any]:
    """The page in a browser window of the width of a page of documentation."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    own = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1060, "height": 760}, color_scheme=theme)
        view.set_default_timeout(300_000)
        view.goto(address)
        view.wait_for_selector("#gallery li[aria-selected=true]")
        yield view
        browser.close()


@contextmanager
def served(run: Path) -> Iterator[str]:
    """The address of the live page while `azr watch` runs."""
    command = [sys.executable, "-m", "azr", "watch", str(run), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        yield server.stderr.readline().split()[0]
        server.terminate()


def _gallery(report: Any, path: Path) -> None:
    """Photograph the newest accepted program, with its first attempt open if the trace has one."""
    report.locator("#gallery select[name=verdict]").select_option("accepted")
    report.locator("#gallery label:has-text('Order') select").select_option("1")
    report.locator("#gallery li[role=option]").first.click()
    report.evaluate("() => { const one = document.querySelector('#gallery details'); if (one) one.open = true; }")
    report.locator("#gallery .browser").screenshot(path=path)


def _charts(report: Any, charts: tuple[str, ...], path: Path) -> None:
    """Photograph some charts, moved together at the top of the page."""
    report.evaluate(
        """charts => {
            document.querySelector('#shown')?.remove();
            const shown = document.createElement('div');
            shown.id = 'shown';
            shown.className = 'charts pairs';
            shown.style.padding = '12px';
            shown.style.width = '1044px';
            document.body.prepend(shown);
            for (const chart of charts) {
                const card = document.querySelector(chart);
                if (!card) throw new Error('the run has no ' + chart);
                shown.append(card);
            }
            scrollTo(0, 0);
        }""",
        list(charts),
    )
    # Charts draw themselves again when their width has changed, in the next frames.
    report.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    report.locator("#shown").screenshot(path=path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
