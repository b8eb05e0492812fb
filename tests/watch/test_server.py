"""What `azr watch` answers, and to whom."""

import http.client
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azr.errors import RunError
from azr.report.folder import Folder
from azr.watch.live import Live
from azr.watch.server import COUNT, application, listen, server
from synthetic import make


class Asker:
    """Asks a server on this machine as any program could."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        body = answer.read().decode("utf-8")
        found = json.loads(body) if answer.headers.get_content_type() == "application/json" else body
        connection.close()
        return answer.status, found, {name.lower(): value for name, value in answer.headers.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "one"
    make(path, steps=20, completions=1200)
    return path


@pytest.fixture(scope="module")
def live(run: Path) -> Live:
    made = Live(Folder(run))
    while made.look():
        pass
    return made


@pytest.fixture(scope="module")
def ask(live: Live) -> Iterator[Asker]:
    listening = listen(0)
    serving = server(application(live, "one"))
    thread = threading.Thread(target=lambda: serving.run(sockets=[listening]))
    thread.start()
    yield Asker(listening.getsockname()[1])
    serving.should_exit = True
    thread.join()


def test_it_listens_on_this_machine_alone() -> None:
    listening = listen(0)
    assert listening.getsockname()[0] == "127.0.0.1"
    with pytest.raises(RunError, match="choose another by --port"):
        listen(listening.getsockname()[1])
    listening.close()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "0.0.0.0", "[::1]", ""])
@pytest.mark.parametrize("path", ["/", "/api/run", "/api/completions/0"])
def test_another_name_for_this_machine_is_refused(ask: Asker, path: str, host: str) -> None:
    """DNS rebinding: a page of another site whose name was pointed at 127.0.0.1."""
    status, body, _ = ask(path, host=host)
    assert status == 400 and "azr" not in str(body)


def test_its_own_names_are_answered(ask: Asker) -> None:
    for host in ("127.0.0.1", "localhost", f"localhost:{ask.port}", f"127.0.0.1:{ask.port}"):
        assert ask("/api/run", host=host)[0] == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pages_of_other_sites_are_refused(ask: Asker, site: str) -> None:
    assert ask("/api/run", sec_fetch_site=site)[0] == 403
    assert ask("/api/run", sec_fetch_site="same-origin")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/api/run", "/api/programs", "/api/completions/1"])
def test_it_can_be_read_and_nothing_else(ask: Asker, path: str, method: str) -> None:
    assert ask(path, method)[0] == 405


@pytest.mark.parametrize("path", ["/", "/api/run", "/api/programs?kind=abduction", "/nothing", "/api/programs/99999"])
def test_every_answer_forbids_what_the_page_does_not_need(ask: Asker, path: str) -> None:
    _, _, headers = ask(path)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers and "server" not in headers


def test_completions_are_paged_and_filtered(ask: Asker) -> None:
    _, first, _ = ask("/api/completions?count=10")
    _, second, _ = ask("/api/completions?count=10&offset=10")
    assert [line["key"] for line in first["lines"] + second["lines"]] == list(range(20))
    assert first["total"] == first["of"] > 900 and {"proposal", "trial"} == set(first["options"]["purpose"])
    _, last, _ = ask("/api/completions?count=3&newest=true")
    assert [line["key"] for line in last["lines"]] == [first["of"] - at for at in (1, 2, 3)]
    _, wrong, _ = ask("/api/completions?kind=abduction&verdict=wrong&first=5&last=9")
    assert 0 < wrong["total"] < first["total"]
    assert {(line["kind"], line["verdict"]) for line in wrong["lines"]} == {("abduction", "wrong")}
    assert all(5 <= line["step"] <= 9 for line in wrong["lines"])
    assert len(ask("/api/completions?count=100000")[1]["lines"]) == COUNT


def test_a_search_finds_texts_and_says_whether_there_is_more(ask: Asker) -> None:
    _, found, _ = ask("/api/completions?text=LET%20ME%20TRACE&count=5")
    assert len(found["lines"]) == 5 and found["open"] is True
    _, none, _ = ask("/api/completions?text=no%20completion%20has%20this")
    assert none["lines"] == [] and none["open"] is False
    _, programs, _ = ask("/api/programs?text=walk(n%20-%201&count=200")
    assert programs["lines"] and programs["open"] is False
    for line in programs["lines"][:5]:
        _, about, _ = ask(f"/api/programs/{line['key']}")
        assert "walk(n - 1" in about["program"]


def test_a_program_comes_with_its_attempts(ask: Asker) -> None:
    _, listed, _ = ask("/api/programs?verdict=accepted&low=0.3&high=0.7")
    assert listed["lines"] and all(0.3 <= line["rate"] <= 0.7 for line in listed["lines"])
    _, about, _ = ask(f"/api/programs/{listed['lines'][0]['key']}")
    solved = sum(attempt["verdict"] == "correct" for attempt in about["attempts"])
    assert len(about["attempts"]) == 8 and solved / 8 == listed["lines"][0]["rate"]


@pytest.mark.parametrize(
    "path",
    ["/api/programs/x", "/api/programs/1e3", "/api/programs/-", "/api/programs/99999999", "/api/programs/-99999999",
     "/api/completions/-1", "/api/completions/99999999999999999999", "/api/completions/%D9%A1", "/api/programs/../run",
     "/../../etc/passwd", "/api/completions/%2e%2e%2f"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(ask: Asker, path: str) -> None:
    assert ask(path)[0] == 404


@pytest.mark.parametrize("query", ["offset=x", "first=nan", "low=1e", "count=--1"])
def test_a_number_that_is_none_is_refused(ask: Asker, query: str) -> None:
    assert ask(f"/api/programs?{query}")[0] == 400


@pytest.mark.parametrize("query", ["offset=-5", "count=1e300", "first=inf", "last=-inf", "low=-1e400", "kind=%00%ff"])
def test_a_number_out_of_bounds_does_no_harm(ask: Asker, query: str) -> None:
    assert ask(f"/api/completions?{query}")[0] == 200


def test_who_knows_the_run_is_told_nothing_twice(ask: Asker) -> None:
    _, whole, _ = ask("/api/run")
    _, again, _ = ask(f"/api/run?known={whole['version']}")
    assert len(whole["runs"]) == 1 and again == {"version": whole["version"]}
