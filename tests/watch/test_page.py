"""The live page in a real browser."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azr.oversight.traces import TraceWriter
from azr.report.folder import Folder
from azr.run.folder import METRICS, TRACES
from azr.watch.live import Live
from azr.watch.server import application, listen, server
from playwright.sync_api import expect
from synthetic import make

pytestmark = pytest.mark.browser


@pytest.fixture
def watched(tmp_path: Path, hostile: Callable[[str], str]) -> Iterator[tuple[Path, str]]:
    """A run folder with hostile texts, and where it is served."""
    run = tmp_path / "run"
    make(run, steps=8, completions=300, text=hostile)
    live, listening = Live(Folder(run)), listen(0)
    serving = server(application(live, "run"))
    threads = [threading.Thread(target=live.follow), threading.Thread(target=lambda: serving.run(sockets=[listening]))]
    for thread in threads:
        thread.start()
    yield run, f"http://127.0.0.1:{listening.getsockname()[1]}/"
    live.close()
    serving.should_exit = True
    for thread in threads:
        thread.join()


def test_the_page_follows_the_run_and_hostile_texts_do_nothing(
    chromium: Any, watched: tuple[Path, str], hostile: Callable[[str], str]
) -> None:
    run, address = watched
    context = chromium.new_context()
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith(address) or wrong.append(request.url))
    page.goto(address)
    expect(page.locator(".facts")).to_contain_text("8 of 8")
    expect(page.locator("#gallery li[role=option]").first).to_be_visible()
    detail = page.locator("#gallery .detail")
    expect(detail).to_contain_text("</script><script>window.owned = 1</script>", use_inner_text=True)

    row = {"step": 9, "purpose": "answer", "kind": "deduction", "verdict": "wrong", "flags": ["phrases"]}
    with TraceWriter(run / TRACES) as trace:
        trace.append([row | {"completion": hostile("the newest words"), "prompt": hostile("asked"), "task": 0}])
    with (run / "alarms.jsonl").open("a") as file:
        file.write(json.dumps({"step": 9, "monitor": hostile("m"), "evidence": hostile("e")}) + "\n")
    with (run / METRICS).open("a") as file:
        file.write(json.dumps({"step": 9, "update/loss": 0.5, hostile("x"): 1}) + "\n")
    expect(page.locator(".facts")).to_contain_text("9 of 8")
    expect(page.locator("#alarms tbody tr").first).to_contain_text("<script>window.owned = 1</script>")

    page.get_by_role("button", name="Completions").click()
    expect(page.locator("#gallery .list .title").first).to_contain_text("the newest words")
    expect(page.locator("#gallery .detail")).to_contain_text("\u241b[2J")
    page.get_by_label("Flagged").select_option("1")
    expect(page.locator("#gallery [role=status]")).to_contain_text("1-1 of 1")
    page.get_by_label("Search").fill("no completion has this")
    expect(page.locator("#gallery .list .empty")).to_have_text("nothing fits")
    assert page.evaluate("typeof window.owned") == "undefined"
    assert page.locator("iframe, img, object, embed, link, base").count() == 0
    assert wrong == []
    context.close()
