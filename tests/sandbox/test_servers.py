"""The ways in, each as its users go: MCP by the SDK's own client, HTTP, smolagents, the prompt."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azr.sandbox import FileQuota, Limits, Sandbox, Session
from azr.sandbox.repl import Repl
from azr.sandbox.workbench import UnknownSession, Workbench


@pytest.fixture(scope="module")
def workbench() -> Iterator[Workbench]:
    sandbox = Sandbox(threads=1, limits=Limits(fuel=2_000_000_000, memory_bytes=64 << 20))
    yield Workbench(sandbox=sandbox, files=FileQuota(bytes=100_000), most_sessions=3)


def test_a_workbench_runs_alone_and_in_sessions(workbench: Workbench) -> None:
    answer = workbench.run("print(open('a').read())\n6 * 7", files={"a": b"text"})
    assert (answer["ended"], answer["value"], answer["stdout"]) == ("returned", "42", "text\n")
    assert answer["files"] == {"/a": 4}
    name = workbench.open()
    workbench.run("x = 1\nopen('f', 'w').write('é')", session=name)
    assert workbench.run("x", session=name)["value"] == "1"
    assert workbench.read(name, "f") == "é".encode()
    with pytest.raises(FileNotFoundError):
        workbench.read(name, "../f")
    with pytest.raises(UnknownSession):
        workbench.run("x", session="guess")
    workbench.close(name)
    with pytest.raises(UnknownSession):
        workbench.run("x", session=name)


def test_the_session_longest_unused_goes_when_there_are_too_many(workbench: Workbench) -> None:
    names = [workbench.open() for _ in range(3)]
    workbench.run("1", session=names[0])
    workbench.open()
    assert workbench.run("1", session=names[0])["ended"] == "returned"
    with pytest.raises(UnknownSession):
        workbench.run("1", session=names[1])


def test_mcp_over_standard_input_with_the_sdks_client() -> None:
    pytest.importorskip("mcp")
    import anyio
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    arguments = ["-m", "azr", "sandbox", "serve", "--mcp", "--threads", "1"]

    async def main() -> None:
        parameters = StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))
        async with Client(stdio_client(parameters)) as client:
            await _use(client)

    anyio.run(main)


def test_mcp_in_memory_with_the_sdks_client(workbench: Workbench) -> None:
    pytest.importorskip("mcp")
    import anyio
    from azr.sandbox.mcp_server import make
    from mcp.client import Client

    async def main() -> None:
        async with Client(make(workbench)) as client:
            await _use(client)

    anyio.run(main)


async def _use(client: Any) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert names == {"run_python", "open_session", "close_session", "read_file"}
    answer = await client.call_tool(
        "run_python", {"code": "print(input())\nlen(open('a').read())", "stdin": "in", "files": {"a": "xyz"}}
    )
    given = answer.structured_content
    assert (given["ended"], given["value"], given["stdout"]) == ("returned", "3", "in\n")
    session = (await client.call_tool("open_session", {})).structured_content["result"]
    await client.call_tool("run_python", {"code": "x = 5\nopen('f', 'w').write('kept')", "session": session})
    answer = await client.call_tool("run_python", {"code": "x + 1", "session": session})
    assert answer.structured_content["value"] == "6"
    answer = await client.call_tool("read_file", {"session": session, "path": "f"})
    assert answer.structured_content["result"] == "kept"
    answer = await client.call_tool("run_python", {"code": "1 / 0"})
    assert not answer.is_error and answer.structured_content["exception"] == "ZeroDivisionError"
    answer = await client.call_tool("run_python", {"code": "1", "session": "guess"})
    assert answer.is_error


def test_http(workbench: Workbench) -> None:
    from azr.sandbox.http_server import make
    from starlette.testclient import TestClient

    client = TestClient(make(workbench))
    assert client.get("/health").json() == {"threads": 1}
    answer = client.post("/run", json={"code": "print(input())\n2 ** 70", "stdin": "in"}).json()
    assert (answer["ended"], answer["value"], answer["stdout"]) == ("returned", str(2**70), "in\n")
    name = client.post("/sessions").json()["session"]
    client.post("/run", json={"code": "x = 1", "session": name})
    assert client.post("/run", json={"code": "x", "session": name}).json()["value"] == "1"
    assert client.delete(f"/sessions/{name}").status_code == 200
    assert client.post("/run", json={"code": "x", "session": name}).status_code == 404
    assert client.post("/run", json={"code": "while True: pass"}).json()["ended"] == "out_of_fuel"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"code": 1}',
        b'{"code": "1", "more": 2}',
        b"[" * 100_000,
        b'{"code": "1", "files": {"a": 1}}',
        b'{"code": "1", "files": {"../a": "x"}}',
        b"\xff",
        b'{"code": "1", "session": 7}',
    ],
)
def test_a_request_that_is_none_is_refused(workbench: Workbench, body: bytes) -> None:
    from azr.sandbox.http_server import make
    from starlette.testclient import TestClient

    answer = TestClient(make(workbench)).post("/run", content=body)
    assert answer.status_code == 400 and answer.json()["error"]


def test_an_agent_of_smolagents_with_a_scripted_model() -> None:
    smolagents = pytest.importorskip("smolagents")
    from azr.sandbox.smolagents_executor import SandboxExecutor

    steps = iter(
        [
            "Thought: look.\n<code>\nx = [n * n for n in range(4)]\nprint(weather(city='Bern'))\n</code>",
            "Thought: break something.\n<code>\nopen('/etc/passwd')\n</code>",
            "Thought: answer.\n<code>\nfinal_answer(sum(x))\nx = None\n</code>",
        ]
    )

    class Scripted(smolagents.Model):  # type: ignore[misc, name-defined]
        def generate(self, messages: Any, **options: Any) -> Any:
            return smolagents.ChatMessage(role="assistant", content=next(steps))

    @smolagents.tool  # type: ignore[untyped-decorator]
    def weather(city: str) -> str:
        """Says what the weather is.

        Args:
            city: Where.
        """
        return f"rain in {city}"

    executor = SandboxExecutor()
    agent = smolagents.CodeAgent(tools=[weather], model=Scripted(), executor=executor, max_steps=5, verbosity_level=0)
    assert agent.run("go") == 14
    seen = [step.observations or "" for step in agent.memory.steps if hasattr(step, "observations")]
    assert "rain in Bern" in seen[0]
    assert any("FileNotFoundError" in str(getattr(step, "error", "")) for step in agent.memory.steps)
    assert executor.session is not None and executor.session.get("x").to_python() == [0, 1, 4, 9]


def test_the_prompt_shows_values_errors_and_goes_on() -> None:
    written: list[str] = []
    repl = Repl(Session(Sandbox(threads=1)), write=written.append)
    for line in ("x = 20", "x + 1", "def f():", "    return 'f'", "", "f()", "1 / 0", "x ="):
        repl.push(line)
    text = "".join(written)
    assert "21\n" in text and "'f'\n" in text and "ZeroDivisionError: division by zero" in text
    assert "syntax error" in text
    with pytest.raises(SystemExit):
        repl.push("raise SystemExit")


def test_the_command_line_serves_http(tmp_path: Path) -> None:
    from azr.cli.sandbox import serve
    from click.testing import CliRunner

    # Without a server: the options are there and say what they are.
    shown = CliRunner().invoke(serve, ["--help"]).output
    assert all(option in shown for option in ("--mcp", "--port", "--deadline", "--sessions")), json.dumps(shown)
