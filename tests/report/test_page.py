"""The report in a real browser: it works, and what a model wrote does nothing in it."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azr.report.build import build, write
from playwright.sync_api import expect
from synthetic import make

pytestmark = pytest.mark.browser


@dataclass
class Seen:
    """What a page did."""

    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@contextmanager
def opened(chromium: Any, path: Path, **options: Any) -> Iterator[tuple[Any, Seen]]:
    """The page in a fresh context. Whatever it asks of the network, says or pops up is seen."""
    context = chromium.new_context(**options)
    page, seen = context.new_page(), Seen()
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.messages.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: seen.messages.append(str(error)))
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(path.as_uri())
    page.wait_for_selector("#gallery li[aria-selected=true]")
    yield page, seen
    context.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fine")
    make(folder / "run", steps=40, completions=1200)
    write(build([folder / "run"]), folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory, hostile: Callable[[str], str]) -> Path:
    """Programs, completions, alarms, names of metrics and of the run: all of them hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    run = folder / "<img src=x onerror=window.owned=1>"
    make(run, steps=8, completions=300, text=hostile)
    alarm = {"step": 3, "monitor": hostile("m"), "action": hostile("a"), "evidence": {hostile("k"): hostile("v")}}
    with (run / "alarms.jsonl").open("a") as file:
        file.write(json.dumps(alarm) + "\n")
    with (run / "metrics.jsonl").open("a") as file:
        row = {"step": 9, hostile("update/loss"): 1, "validate/propose/abduction/rejected/<b>x": 2}
        file.write(json.dumps(row) + "\n")
    write(build([run]), folder / "report.html")
    return folder / "report.html"


def walk(page: Any) -> None:
    """Look at everything: scroll through, open every program and attempt of the list."""
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 600) {
            scrollTo({top: y, behavior: 'instant'});
            await new Promise(requestAnimationFrame);
        }
    }""")
    items = page.locator("#gallery li[role=option]")
    for index in range(min(items.count(), 12)):
        items.nth(index).click()
        page.wait_for_selector(f"#gallery li[role=option]:nth-child({index + 1})[aria-selected=true]")
        page.wait_for_selector("#gallery .detail[aria-busy=false]")
        page.evaluate("document.querySelectorAll('#gallery details').forEach((one) => { one.open = true; })")
    for button in page.locator("figure .button").all()[:6]:
        button.click()


def test_hostile_texts_do_nothing_in_the_report(chromium: Any, hostile_report: Path) -> None:
    with opened(chromium, hostile_report) as (page, seen):
        walk(page)
        assert page.evaluate("typeof window.owned") == "undefined"
        assert seen.requests == [hostile_report.as_uri()] and seen.messages == [] and seen.dialogs == []
        assert page.locator("iframe, img, object, embed, link, base, form[action], a[href^=javascript]").count() == 0
        assert page.evaluate("document.querySelectorAll('script').length") == page.evaluate(
            "document.querySelectorAll('script#data, script[id^=block], body > script:last-of-type').length"
        )
        shown = page.locator("#gallery .detail").inner_text()
        assert "</script><script>window.owned = 1</script>" in shown
        assert "\u241b[2J" in shown and "<U+202E> owned <U+2066>" in shown and "half <U+D83D>" in shown
        assert "\x1b" not in page.locator("body").inner_text() and "\u202e" not in page.content()


def test_the_policy_refuses_what_is_not_the_pages_own(chromium: Any, hostile_report: Path) -> None:
    """Even if a text got into the page as markup, it would not run and could not ask for anything."""
    with opened(chromium, hostile_report) as (page, seen):
        page.evaluate("""() => {
            const box = document.createElement('div');
            box.innerHTML = "<img src=http://198.51.100.7/x onerror='window.owned=1'><b onclick='window.owned=1'>x</b>";
            document.body.append(box);
            box.querySelector('b').click();
            const script = document.createElement('script');
            script.textContent = 'window.owned = 1';
            document.body.append(script);
        }""")
        page.evaluate("new Promise(requestAnimationFrame)")
        assert page.evaluate("typeof window.owned") == "undefined"
        assert all("Content Security Policy" in message for message in seen.messages) and len(seen.messages) >= 3


@pytest.mark.parametrize(
    "options",
    [
        {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
        {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
        {"color_scheme": "light", "viewport": {"width": 390, "height": 844}, "has_touch": True},
    ],
    ids=["light", "dark", "narrow"],
)
def test_it_fits_the_screen_and_is_drawn_without_an_error(chromium: Any, report: Path, options: dict[str, Any]) -> None:
    with opened(chromium, report, **options) as (page, seen):
        walk(page)
        assert seen.messages == [] and seen.requests == [report.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("figure.chart").count() > 25
        for name in ("probe", "band", "solve-length", "cyclomatic", "unlikeness", "seconds", "operations", "reach"):
            assert page.locator(f"#chart-{name} svg path").count() >= 2, name
        # One line for each stratum that the run has.
        assert page.locator("#chart-reach .legend button").all_inner_texts() == ["2", "3", "4"]
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 200) == (options["color_scheme"] == "dark")


def test_nothing_moves_while_it_is_drawn(chromium: Any, report: Path) -> None:
    with opened(chromium, report, viewport={"width": 1360, "height": 900}) as (page, _):
        height = page.evaluate("document.body.scrollHeight")
        walk_only = "async () => { for (let y = 0; y < 9e3; y += 500) { scrollTo({top: y, behavior: 'instant'});"
        page.evaluate(f"{walk_only} await new Promise(requestAnimationFrame); }} }}")
        assert page.evaluate("document.body.scrollHeight") == height
        shifts = "() => { const seen = new PerformanceObserver(() => {});"
        shifts += " seen.observe({type: 'layout-shift', buffered: true});"
        assert page.evaluate(f"{shifts} return seen.takeRecords().reduce((sum, one) => sum + one.value, 0); }}") < 0.05


def test_programs_are_filtered_searched_and_paged(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as (page, seen):
        status, titles = page.locator("#gallery [role=status]"), page.locator("#gallery .list .title")
        total = re.findall(r"\d+", status.inner_text())[2]
        page.select_option("#gallery select[name=kind]", "abduction")
        expect(page.locator("#gallery .list .dotted", has_not_text="abduction")).to_have_count(0)
        expect(titles).not_to_have_count(0)
        page.select_option("#gallery select[name=kind]", "")
        page.select_option("#gallery select[name=verdict]", "out_of_fuel")
        expect(page.locator("#gallery .list .badge", has_not_text="out of fuel")).to_have_count(0)
        expect(titles).not_to_have_count(0)
        page.select_option("#gallery select[name=verdict]", "")
        page.fill("#gallery input[name=low]", "0.5")
        expect(page.locator("#gallery .list .badge", has_not_text="accepted")).to_have_count(0)
        page.fill("#gallery input[name=low]", "")
        expect(status).to_have_text(f"1-50 of {total}")
        page.fill("#gallery input[name=text]", "WALK(N - 1")
        expect(status).to_have_text(re.compile(rf"of (?!{total}\b)[1-9]\d*, of "))
        assert int(re.findall(r"\d+", status.inner_text())[2]) < int(total)
        titles.last.click()
        expect(page.locator("#gallery .detail")).to_contain_text("walk(n - 1")
        page.fill("#gallery input[name=text]", "no program has this")
        expect(page.locator("#gallery .list .empty")).to_have_text("nothing fits")
        page.fill("#gallery input[name=text]", "")
        expect(status).to_have_text(f"1-50 of {total}")
        page.click("#gallery .pager button:last-of-type")
        expect(status).to_contain_text("51-")
        assert seen.messages == []


def test_it_can_be_used_without_a_mouse(chromium: Any, report: Path) -> None:
    with opened(chromium, report) as (page, _):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("#gallery ul[role=listbox]").focus()
        page.keyboard.press("ArrowDown")
        page.wait_for_selector("#gallery li[role=option]:nth-child(2)[aria-selected=true]")
        assert page.locator("#gallery ul[role=listbox]").get_attribute("aria-activedescendant")
        chart = page.locator("#chart-probe svg")
        chart.scroll_into_view_if_needed()
        chart.focus()
        page.keyboard.press("Home")
        assert page.locator("#chart-probe .tip b").inner_text() == "step 0"
        page.keyboard.press("ArrowRight")
        assert page.locator("#chart-probe .tip b").inner_text() == "step 10"
        assert "deduction: last" in str(chart.get_attribute("aria-label"))
        unnamed = "[...document.querySelectorAll('button, select, input, svg[role=img]')]"
        unnamed += ".filter((one) => !(one.textContent.trim()"
        unnamed += " || one.getAttribute('aria-label') || one.closest('label'))).length"
        assert page.evaluate(unnamed) == 0


def test_a_theme_can_be_chosen(chromium: Any, report: Path) -> None:
    with opened(chromium, report, color_scheme="light") as (page, _):
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        button = page.get_by_role("button", name="Theme:")
        for name in ("light", "dark"):
            button.click()
            assert button.inner_text() == f"Theme: {name}"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_runs_are_drawn_beside_each_other(chromium: Any, report: Path, tmp_path: Path) -> None:
    make(tmp_path / "other", steps=20, completions=300)
    write(build([report.parent / "run", tmp_path / "other"]), tmp_path / "both.html")
    with opened(chromium, tmp_path / "both.html") as (page, seen):
        walk(page)
        assert page.locator("#chart-probe .legend button").all_inner_texts() == ["run", "other"]
        assert page.locator("#chart-probe .panel .name").all_inner_texts() == ["deduction", "abduction", "induction"]
        rows = [row.locator("td").all_inner_texts() for row in page.locator("#config tbody tr").all()]
        assert ["run.steps", "40", "20"] in rows and "model.name" not in [row[0] for row in rows]
        page.get_by_role("button", name="other", exact=True).last.click()
        expect(page.locator("#gallery .browser")).to_have_count(1)
        assert seen.messages == []


def test_a_text_of_ten_million_characters_is_cut(chromium: Any, tmp_path: Path) -> None:
    make(tmp_path / "run", steps=1, completions=8, text=lambda text: text + "\n# " + "x" * 10_000_000)
    report = build([tmp_path / "run"])
    write(report, tmp_path / "report.html")
    assert len(report.html) < 1_000_000
    with opened(chromium, tmp_path / "report.html") as (page, seen):
        walk(page)
        assert "more characters are not shown]" in page.locator("#gallery .detail").inner_text()
        assert seen.messages == [] and page.evaluate("document.documentElement.scrollWidth <= innerWidth")
