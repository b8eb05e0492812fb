"""The page: one HTML file without network requests.

No text of a run is ever written into the HTML. It is JSON, in which no character can end a script element, and the
page's script displays it only through `textContent`. The content security policy allows the page's own script and
style, by their hashes, and nothing else.
"""

import base64
import gzip
import hashlib
import json
from functools import cache
from importlib import resources
from string import Template
from typing import Any, Final

SCRIPTS: Final = ("dom.js", "chart.js", "code.js", "source.js", "gallery.js", "sections.js", "app.js")
"""In the order in which they run; one function around all of them."""


def page(title: str, data: dict[str, Any], blocks: dict[str, Any] | None = None, connect: bool = False) -> str:
    """The page with its data.

    Args:
        blocks: data that the script unpacks only when it needs it, by name (letters, digits, hyphens).
        connect: the page may fetch from its own server.
    """
    script, style = _script(), _asset("page.css")
    named = (blocks or {}).items()
    return Template(_asset("page.html")).substitute(
        policy=policy(connect),
        title=_text(title),
        style=style,
        script=script,
        data=island(data),
        blocks="".join(f'<script type="text/plain" id="{name}">{packed(one)}</script>\n' for name, one in named),
    )


def policy(connect: bool) -> str:
    """The content security policy of the page."""
    parts = [
        "default-src 'none'",
        f"script-src '{_hash(_script())}'",
        f"style-src '{_hash(_asset('page.css'))}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if connect:
        parts.append("connect-src 'self'")
    return "; ".join(parts)


def island(data: object) -> str:
    """JSON that is safe in a script element: ASCII, without `<`, `>` and `&`."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def packed(data: object) -> str:
    """Compressed JSON in base64."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode("ascii"), mtime=0)).decode("ascii")


@cache
def _asset(name: str) -> str:
    return (resources.files("azr.report") / "assets" / name).read_text("utf-8")


@cache
def _script() -> str:
    return '(() => {\n"use strict";\n' + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();\n"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
