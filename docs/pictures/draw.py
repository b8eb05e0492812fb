"""Draw the diagrams of the site and the README: python docs/pictures/draw.py

Each picture is written twice, for light and for dark pages. A test draws them again and compares.
"""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from pathlib import Path

HERE = Path(__file__).parent
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
THEMES = {
    "light": {
        "paper": "#ffffff", "ink": "#1b1e24", "soft": "#5d636e", "line": "#8a909b", "model": "#e3ebfb",
        "sandbox": "#fbe7dc", "buffer": "#dcf1ea", "plain": "#f0f0eb", "model-line": "#2f69d9",
        "sandbox-line": "#cf5a1f", "buffer-line": "#14876b", "plain-line": "#8a909b",
    },
    "dark": {
        "paper": "#0d1117", "ink": "#e9e8e3", "soft": "#a2a8b2", "line": "#7d838e", "model": "#1b2742",
        "sandbox": "#3a2418", "buffer": "#17332b", "plain": "#20242a", "model-line": "#7aa5ff",
        "sandbox-line": "#ff9a63", "buffer-line": "#4fcaa6", "plain-line": "#7d838e",
    },
}  # fmt: skip
"""`model`, `sandbox`, `buffer` and `plain` say what does the work in a box."""


class Picture:
    """An SVG under construction, in one theme."""

    def __init__(self, width: int, height: int, about: str, theme: str) -> None:
        self._colour = THEMES[theme]
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' role="img" aria-label="{escape(about)}" font-family="{FONT}" font-size="13">'
        )
        marker = (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            f' orient="auto"><path d="M0 0 8 4 0 8z" fill="{self._colour["line"]}"/></marker></defs>'
        )
        self._parts = [head, marker, f'<rect width="{width}" height="{height}" fill="{self._colour["paper"]}"/>']

    def box(self, x: int, y: int, width: int, height: int, title: str, lines: Sequence[str], tone: str) -> None:
        """A box with a bold title and smaller lines below it, centred."""
        self._parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{self._colour[tone]}"'
            f' stroke="{self._colour[tone + "-line"]}"/>'
        )
        top = y + height / 2 + 4.5 - 8 * len(lines)
        self.text(x + width / 2, top, title, weight=600, anchor="middle")
        for number, line in enumerate(lines, 1):
            self.text(x + width / 2, top + 16 * number, line, tone="soft", size=11.5, anchor="middle")

    def text(  # noqa: PLR0913 - keywords of one call
        self, x: float, y: float, text: str, *, tone: str = "ink", size: float = 13, weight: int = 400,
        anchor: str = "start", mono: bool = False,
    ) -> None:  # fmt: skip
        """One line of text."""
        family = f' font-family="{MONO}"' if mono else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" fill="{self._colour[tone]}" font-size="{size:g}" font-weight="{weight}"'
            f' text-anchor="{anchor}"{family}>{escape(text)}</text>'
        )

    def arrow(self, *points: tuple[float, float]) -> None:
        """A line through the points with a tip at the last one."""
        path = " ".join(f"{'L' if number else 'M'}{x:g} {y:g}" for number, (x, y) in enumerate(points))
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{self._colour["line"]}" stroke-width="1.4" marker-end="url(#tip)"/>'
        )

    def done(self) -> str:
        """The file's text."""
        return "\n".join([*self._parts, "</svg>"]) + "\n"


def loop(theme: str) -> str:
    """One step of self-play."""
    picture = Picture(880, 240, "One step: propose, validate, buffer, solve, reward, update, and round again", theme)
    stages = [
        ("propose", ("the model writes", "programs + inputs"), "model"),
        ("validate", ("the sandbox runs", "them: outputs"), "sandbox"),
        ("buffer", ("new tasks stay,", "duplicates go"), "buffer"),
        ("solve", ("the model answers,", "the sandbox checks"), "model"),
        ("reward", ("learnable tasks,", "right answers"), "plain"),
        ("update", ("one gradient step", "for both roles"), "model"),
    ]
    width, gap, top, height = 126, 20, 88, 76
    left = [12 + number * (width + gap) for number in range(len(stages))]
    for number, (x, (title, lines, tone)) in enumerate(zip(left, stages, strict=True)):
        picture.box(x, top, width, height, title, lines, tone)
        if number:
            picture.arrow((x - gap, top + height / 2), (x - 2, top + height / 2))
    middle = [x + width / 2 for x in left]
    picture.arrow((middle[2], top), (middle[2], 48), (middle[0], 48), (middle[0], top - 2))
    picture.text((middle[0] + middle[2]) / 2, 40, "stored tasks as references", tone="soft", size=12, anchor="middle")
    low = top + height
    picture.arrow((middle[5], low), (middle[5], low + 42), (middle[0], low + 42), (middle[0], low + 3))
    picture.arrow((middle[3], low + 42), (middle[3], low + 3))
    picture.text((middle[0] + middle[3]) / 2, low + 60, "new weights", tone="soft", size=12, anchor="middle")
    return picture.done()


PROPOSAL_PATH = (
    ("pipeline/rollout_step.py", "_Flow.take", "calls read_proposal, validate, admit", "plain"),
    ("propose.py", "read_proposal", "Proposal", "model"),
    ("tasks/templates.py", "Tagged.read", "the answer's text", "model"),
    ("tasks/parsing.py", "Fenced.split", "Blocks", "model"),
    ("tasks/base.py", "PlainKind.parse_proposal", "Draft: program and input", "model"),
    ("validate.py", "validate", "one verdict for each proposal", "sandbox"),
    ("sandbox/client.py", "Sandbox.validate", "Validation: an output for each input", "sandbox"),
    ("sandbox/client.py", "_rows", "the extension's rows, failures retried", "sandbox"),
    ("validate.py", "_verdict", "Valid with its Task, or Rejected", "sandbox"),
    ("tasks/common.py", "returned", "the outputs, or a Reason", "sandbox"),
    ("buffer/curriculum.py", "TaskStore.admit", "Task with its id, or Rejected: duplicate", "buffer"),
    ("buffer/client.py", "TaskBuffer.insert_many", "a record in the log", "buffer"),
)
"""From text to stored task, in the order of the calls: file, function, what it hands on, and whose work it is. A test
follows a proposal and finds these and no others."""


def proposal(theme: str) -> str:
    """The path of one proposal, function by function."""
    row = 38
    picture = Picture(760, 58 + row * len(PROPOSAL_PATH), "The functions from text to stored task", theme)
    picture.text(44, 24, "function", tone="soft", size=12)
    picture.text(290, 24, "file in python/azr", tone="soft", size=12)
    picture.text(484, 24, "what it hands on", tone="soft", size=12)
    for number, (file, function, result, tone) in enumerate(PROPOSAL_PATH, 1):
        top = 36 + row * (number - 1)
        picture.box(36, top, 236, 28, function, (), tone)
        picture.text(12, top + 18, str(number), tone="soft", size=12)
        picture.text(290, top + 18, file, size=12, mono=True)
        picture.text(484, top + 18, result, size=12.5)
        if number < len(PROPOSAL_PATH):
            picture.arrow((154, top + 28), (154, top + row - 1))
    return picture.done()


def gradient(theme: str) -> str:
    """From a step's proposals to new weights, and which part does what."""
    picture = Picture(880, 300, "From a prompt to a gradient: what is handed from stage to stage", theme)
    top = (20, 118, 216)
    width, height = 150, 64
    rows = [
        [
            ("references", ("TaskStore.references",), "buffer"), ("propose prompts", ("step_prompts",), "model"),
            ("completions", ("Engine.collect",), "model"), ("proposals", ("read_proposal",), "model"),
            ("verdicts", ("validate",), "sandbox"),
        ],
        [
            ("solve rates", ("solve_rate",), "plain"), ("checked trials", ("check",), "sandbox"),
            ("solve prompts", ("Renderer.solve",), "model"), ("stored tasks", ("TaskStore.admit",), "buffer"),
        ],
        [
            ("episodes", ("reward",), "plain"), ("advantages", ("make_batch",), "plain"),
            ("loss and gradient", ("Policy.update",), "model"), ("new weights", ("Engine.load",), "model"),
        ],
    ]  # fmt: skip
    left = [12 + 176 * number for number in range(5)]
    for number, (title, lines, tone) in enumerate(rows[0]):
        picture.box(left[number], top[0], width, height, title, lines, tone)
        if number:
            picture.arrow((left[number] - 26, top[0] + 32), (left[number] - 2, top[0] + 32))
    middle = left[4] + width / 2
    picture.arrow((middle, top[0] + height), (middle, top[1] + 32), (left[3] + width + 3, top[1] + 32))
    for number, (title, lines, tone) in enumerate(rows[1]):
        picture.box(left[number], top[1], width, height, title, lines, tone)
        if number:
            picture.arrow((left[number], top[1] + 32), (left[number] - 24, top[1] + 32))
    picture.arrow((left[0] + width / 2, top[1] + height), (left[0] + width / 2, top[2] - 2))
    for number, (title, lines, tone) in enumerate(rows[2]):
        picture.box(left[number], top[2], width, height, title, lines, tone)
        if number:
            picture.arrow((left[number] - 26, top[2] + 32), (left[number] - 2, top[2] + 32))
    picture.text(left[4] - 6, top[2] + 36, "and the next step", tone="soft", size=12)
    return picture.done()


def sandbox(theme: str) -> str:
    """A program on its way through the sandbox."""
    picture = Picture(880, 330, "A program, from the caller to the guest, and its outcome back", theme)
    columns = [(12, "Python caller", "azr.sandbox"), (232, "extension", "rust/python"),
               (452, "host", "rust/sandbox"), (672, "guest in WebAssembly", "rust/guest")]  # fmt: skip
    for x, title, place in columns:
        picture.text(x + 98, 22, title, weight=600, anchor="middle")
        picture.text(x + 98, 39, place, tone="soft", size=11.5, anchor="middle", mono=True)
    steps = [
        (0, 54, "Sandbox.run_batch", ("programs as text",), "plain"),
        (1, 54, "PyO3 boundary", ("interpreter lock released",), "plain"),
        (2, 54, "a free instance", ("one for each thread",), "sandbox"),
        (2, 122, "reset", ("copy dirty pages back",), "sandbox"),
        (3, 122, "run under limits", ("decode, compile, call f",), "sandbox"),
        (3, 190, "encode", ("the value, by exact type",), "sandbox"),
        (2, 190, "check", ("every pointer and length",), "sandbox"),
        (2, 258, "Outcome", ("how it ended, fuel used",), "sandbox"),
        (1, 258, "value objects", ("no guest pointers",), "plain"),
        (0, 258, "Outcome", ("one for each program",), "plain"),
    ]
    for column, top, title, lines, tone in steps:
        picture.box(columns[column][0], top, 196, 54, title, lines, tone)
    for (column, top, *_), (after, below, *_) in pairwise(steps):
        x, y = columns[column][0], columns[after][0]
        if column == after:
            picture.arrow((x + 98, top + 54), (x + 98, below - 2))
        elif x < y:
            picture.arrow((x + 196, top + 27), (y - 2, below + 27))
        else:
            picture.arrow((x, top + 27), (y + 198, below + 27))
    return picture.done()


PICTURES = {"loop": loop, "proposal": proposal, "gradient": gradient, "sandbox": sandbox}


def main(folder: Path = HERE) -> None:
    """Write all pictures."""
    for name, draw in PICTURES.items():
        for theme in THEMES:
            (folder / f"{name}-{theme}.svg").write_text(draw(theme), "ascii")


if __name__ == "__main__":
    main()
