"""Take the pictures of a run: python docs/pictures/shoot.py RUN

RUN is a run folder, such as that of `azr train --run RUN --set evals.every=10`. The pictures are parts of its report
and the top of the live page, in Chromium (`make browser`), light and dark.
"""

import shutil
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
    """Make the report of a run and photograph parts of it."""
    with tempfile.TemporaryDirectory() as scratch:
        page = Path(scratch) / "report.html"
        write(build([run]), page)
        for theme in THEMES:
            with opened(page, theme) as report:
                for name, charts in SHOWN.items():
                    _charts(report, charts, folder / f"{name}-{theme}.png")
                report.locator("#gallery").screenshot(path=folder / f"gallery-{theme}.png")


@contextmanager
def opened(page: Path, theme: str) -> Iterator[Any]:
    """The report in a browser window of the width of a page of documentation."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    own = next((path for name in names if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=own, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": 1000, "height": 1000}, color_scheme=theme)
        view.set_default_timeout(300_000)
        view.goto(page.as_uri())
        view.wait_for_selector("#gallery li[aria-selected=true]")
        yield view
        browser.close()


def _charts(report: Any, charts: tuple[str, ...], path: Path) -> None:
    """Photograph some charts, moved together at the top of the page."""
    report.evaluate(
        """charts => {
            document.querySelector('#shown')?.remove();
            const shown = document.createElement('div');
            shown.id = 'shown';
            shown.className = 'charts pairs';
            shown.style.padding = '12px';
            shown.style.width = '976px';
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
    main(Path(sys.argv[1]))
