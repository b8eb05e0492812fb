"""The sandbox as tools of the Model Context Protocol, by its official SDK (the extra `mcp`).

`azr sandbox serve --mcp` serves them over standard input and output, and with `--port` over HTTP.
"""

import asyncio
import base64
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from azr.errors import SandboxError
from azr.sandbox.workbench import UnknownSession, Workbench

INSTRUCTIONS = """Runs Python in an isolated interpreter: no network, no processes, no files but those in its memory.
The standard library is there; packages with native code are not. Print what you want to see, or end with an expression.
"""


def make(workbench: Workbench) -> MCPServer:
    """A server whose tools use this workbench."""
    server = MCPServer("azr-sandbox", instructions=INSTRUCTIONS)

    async def answered(work: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await asyncio.to_thread(work, *args, **kwargs)
        except (SandboxError, UnknownSession, FileNotFoundError) as error:
            raise ToolError(str(error)) from error

    @server.tool()
    async def run_python(
        code: str, session: str = "", stdin: str = "", files: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Run Python code. Without a session it runs in a fresh interpreter, of which nothing is kept.

        Args:
            code: What to run. The value of a last expression is in the answer.
            session: The name that open_session gave: variables, imports and files last from run to run.
            stdin: Text for standard input.
            files: Texts of files to make first, by path.
        """
        texts = {path: text.encode() for path, text in (files or {}).items()}
        answer: dict[str, Any] = await answered(workbench.run, code, session=session or None, stdin=stdin, files=texts)
        return answer

    @server.tool()
    async def open_session() -> str:
        """Open a session, and give its name."""
        name: str = await answered(workbench.open)
        return name

    @server.tool()
    async def close_session(session: str) -> str:
        """Close a session."""
        await answered(workbench.close, session)
        return "closed"

    @server.tool()
    async def read_file(session: str, path: str) -> str:
        """Read a file that a session's code has written. Bytes that are no text come as base64 after `base64:`."""
        data: bytes = await answered(workbench.read, session, path)
        try:
            return data.decode()
        except UnicodeDecodeError:
            return "base64:" + base64.b64encode(data).decode()

    return server
