"""A grammar of small Python programs: numbers, strings, lists and dicts; branches, loops, helpers and classes.

Programs are drawn by type, so most of them run; the sandbox decides. What a program does is said in a few words, one
phrase for each of its parts, which become an induction task's message.
"""

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from azr.tasks import source

WORDS = ("apple", "bee", "cat", "dog", "egg", "fox", "ant", "sun", "moon", "red", "blue", "tea", "sea", "map", "key")
LETTERS = "abcdegilnorst"
NAMES = {
    "int": ("n", "x", "k", "total", "count", "limit"),
    "text": ("s", "text", "word", "name", "line"),
    "ints": ("nums", "xs", "values", "items", "numbers"),
    "texts": ("words", "names", "parts", "lines"),
    "table": ("d", "table", "scores", "counts", "prices"),
}
"""Names of parameters and variables by type."""
TYPES = tuple(NAMES)
TAKES = ("int", "text", "ints", "ints", "texts", "table", "text")
"""Types of parameters; what stands twice is drawn twice as often."""

Rows = tuple[tuple[str, str], ...]
# By the type that they give: (template, words). `{int}` and the like stand for an expression of that type, `{c}` for a
# small number, `{l}` for a letter and `{w}` for a word as literals, `{v}` for a fresh name in a comprehension.
EXPRESSIONS: dict[str, Rows] = {
    "int": (
        ("{int} + {c}", "add a number"),
        ("{int} - {c}", "subtract a number"),
        ("{int} * {c}", "multiply"),
        ("{int} % {c}", "take the remainder"),
        ("{int} // {c}", "divide"),
        ("{int} + {int}", "add up two numbers"),
        ("abs({int})", "take the absolute value"),
        ("max({int}, {c})", "keep at least a number"),
        ("min({int}, {c})", "keep at most a number"),
        ("len({text})", "take the length"),
        ("len({ints})", "count the numbers"),
        ("len({texts})", "count the words"),
        ("len(set({text}))", "count the different letters"),
        ("sum({ints})", "sum up"),
        ("max({ints}, default=0)", "take the largest"),
        ("min({ints}, default=0)", "take the smallest"),
        ("{text}.count({l})", "count a letter"),
        ("{text}.find({l})", "find a letter"),
        ("sum({table}.values())", "sum up the values"),
        ("{table}.get({w}, {c})", "look a key up"),
        ("sum({v} * {v} for {v} in {ints})", "sum the squares"),
        ("sum(1 for {v} in {ints} if {v} > {c})", "count those above a number"),
    ),
    "text": (
        ("{text}[::-1]", "reverse the text"),
        ("{text}.upper()", "write it in capitals"),
        ("{text}.title()", "capitalise the words"),
        ("{text}[{c}:]", "drop the beginning"),
        ("{text}[:{c}]", "keep the beginning"),
        ("{text} + {w}", "append a word"),
        ("{l} + {text}", "put a letter in front"),
        ("{text} * 2", "double the text"),
        ("{text}.replace({l}, {l})", "replace a letter"),
        ("{text}.replace({l}, '')", "remove a letter"),
        ("{text}.strip({l})", "strip a letter"),
        ("str({int})", "write the number"),
        ("''.join(sorted({text}))", "sort the letters"),
        ("'-'.join({texts})", "join the words"),
        ("' '.join({texts})", "join the words by blanks"),
        ("''.join({v} for {v} in {text} if {v} != {l})", "leave a letter out"),
        ("max({texts}, key=len, default='')", "take the longest word"),
    ),
    "ints": (
        ("sorted({ints})", "sort the numbers"),
        ("sorted({ints}, reverse=True)", "sort from the largest"),
        ("{ints}[::-1]", "reverse the list"),
        ("{ints}[{c}:]", "drop the first ones"),
        ("{ints}[:{c}]", "keep the first ones"),
        ("{ints}[::2]", "keep every second"),
        ("{ints} + [{int}]", "append a number"),
        ("[{v} + {c} for {v} in {ints}]", "add a number to each"),
        ("[{v} * {c} for {v} in {ints}]", "multiply each"),
        ("[{v} for {v} in {ints} if {v} > {c}]", "keep those above a number"),
        ("[{v} for {v} in {ints} if {v} % 2 == 0]", "keep the even ones"),
        ("[len({v}) for {v} in {texts}]", "take the lengths"),
        ("list(range({int} % 8))", "count up"),
        ("list({table}.values())", "take the values"),
        ("sorted(set({ints}))", "sort and drop repetitions"),
        ("[i * {v} for i, {v} in enumerate({ints})]", "multiply by the place"),
    ),
    "texts": (
        ("{text}.split()", "split at blanks"),
        ("sorted({texts})", "sort the words"),
        ("{texts}[::-1]", "reverse the words"),
        ("{texts} + [{text}]", "append a word"),
        ("[{v}.upper() for {v} in {texts}]", "write each in capitals"),
        ("[{v}[::-1] for {v} in {texts}]", "reverse each"),
        ("[{v} for {v} in {texts} if len({v}) > {c}]", "keep the long ones"),
        ("[{v} for {v} in {texts} if {l} in {v}]", "keep those with a letter"),
        ("sorted({table})", "sort the keys"),
        ("sorted({texts}, key=len)", "sort by length"),
        ("list({text})", "take the letters"),
    ),
    "table": (
        ("{{{v}: {text}.count({v}) for {v} in {text}}}", "count each letter"),
        ("{{{v}: len({v}) for {v} in {texts}}}", "map words to lengths"),
        ("dict(zip({texts}, {ints}))", "pair words with numbers"),
        ("{{{v}: n + {c} for {v}, n in {table}.items()}}", "add to each value"),
        ("{{{v}: n for {v}, n in {table}.items() if n > {c}}}", "keep the large values"),
        ("{{str({v}): {v} * {c} for {v} in {ints}}}", "map numbers to multiples"),
    ),
}
CONDITIONS: dict[str, tuple[str, ...]] = {
    "int": ("{x} > {c}", "{x} % 2 == 0", "{x} < {c}", "{x} % 3 == {c} % 3"),
    "text": ("len({x}) > {c}", "{l} in {x}", "{x}.startswith({l})", "{x}.isupper()"),
    "ints": ("len({x}) > {c}", "{c} in {x}", "sum({x}) > {c}"),
    "texts": ("len({x}) > {c}", "{w} in {x}"),
    "table": ("{w} in {x}", "len({x}) > {c}"),
}
# Loops: what is looped over, what it gathers, where it begins, and its body over the variable {v} and the result {r}.
LOOPS: tuple[tuple[str, str, str, str, str], ...] = (
    ("ints", "int", "0", "{r} += {v}", "sum in a loop"),
    ("ints", "int", "0", "if {v} % 2 == {c} % 2:\n    {r} += {v}\nelse:\n    {r} -= 1", "sum the even or odd ones"),
    ("ints", "int", "1", "{r} = ({r} * {v}) % 97", "multiply up, modulo 97"),
    ("ints", "int", "0", "if {v} > {r}:\n    {r} = {v}", "find the largest in a loop"),
    ("ints", "ints", "[]", "{r}.append({v} * {c})", "multiply each in a loop"),
    ("ints", "ints", "[]", "if {v} not in {r}:\n    {r}.append({v})", "keep each number once"),
    ("ints", "ints", "[]", "{r}.append({v} + ({r}[-1] if {r} else 0))", "running sums"),
    ("ints", "int", "0", "if {v} < {c}:\n    continue\n{r} += {v}", "sum those that are large enough"),
    ("ints", "int", "0", "if {v} == {c}:\n    break\n{r} += 1", "count up to a number"),
    ("text", "int", "0", "if {v} in 'aeiou':\n    {r} += 1", "count the vowels"),
    ("text", "text", "''", "{r} = {v} + {r}", "reverse in a loop"),
    ("text", "text", "''", "if {v} != {l}:\n    {r} += {v}", "leave a letter out in a loop"),
    ("text", "text", "''", "{r} += {v} * {c}", "repeat each letter"),
    ("text", "table", "{{}}", "{r}[{v}] = {r}.get({v}, 0) + 1", "count letters in a loop"),
    ("texts", "int", "0", "{r} += len({v})", "sum the lengths"),
    ("texts", "text", "''", "{r} += {v}[:1]", "join the first letters"),
    ("texts", "table", "{{}}", "{r}[{v}] = len({v})", "map words to lengths in a loop"),
    ("texts", "texts", "[]", "if len({v}) > {c}:\n    {r}.append({v}[::-1])", "reverse the long words"),
    ("table", "int", "0", "{r} += {x}[{v}]", "sum the values in a loop"),
    ("table", "texts", "[]", "if {x}[{v}] > {c}:\n    {r}.append({v})", "keys of the large values"),
)
COUNTED: tuple[tuple[str, str, str], ...] = (
    ("{r} = 0\nwhile {x} > 0:\n    {r} += {x} % 10\n    {x} //= 10", "{r}", "sum the digits"),
    ("{r} = 0\nwhile {x} > 1 and {r} < 50:\n    {x} = {x} // 2 if {x} % 2 == 0 else 3 * {x} + 1\n    {r} += 1", "{r}",
     "count the steps of halving"),
    ("{r} = 0\nfor i in range({x} % 10):\n    {r} += i * {c}", "{r}", "sum multiples"),
    ("{r} = 1\nwhile {r} < {x}:\n    {r} *= 2", "{r}", "find a power of two"),
    ("a, {r} = 0, 1\nfor i in range({x} % 12):\n    a, {r} = {r}, a + {r}", "{r}", "count like Fibonacci"),
)  # fmt: skip
"""Loops over a number {x}, with a result {r}."""
HELPERS: tuple[tuple[str, str, str, str], ...] = (
    ("int", "int", "def g(n):\n    if n <= 1:\n        return 1\n    return n + g(n - 2)", "a recursive sum"),
    ("int", "int", "def g(n):\n    return n * n - {c}", "a helper that squares"),
    ("int", "text", "def g(n):\n    return '' if n <= 0 else str(n % 2) + g(n // 2)", "binary digits, recursively"),
    ("text", "text", "def g(s):\n    return s if len(s) < 2 else g(s[1:]) + s[0]", "reverse recursively"),
    ("ints", "int", "def g(xs):\n    return xs[0] + g(xs[1:]) if xs else {c}", "sum recursively"),
    ("text", "int", "def g(s):\n    return sum(ord(c) - 96 for c in s if c.isalpha()) % 50", "add up letter values"),
)
"""(takes, gives, source, words)"""
CLASSES: tuple[tuple[str, str, str, str, str], ...] = (
    ("ints", "int",
     "class Counter:\n    def __init__(self, start):\n        self.value = start\n\n    def add(self, n):\n"
     "        self.value += n * {c}\n        return self",
     "box = Counter({c})\nfor v in {x}:\n    box.add(v)\nreturn box.value", "a class that counts up"),
    ("ints", "ints",
     "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, n):\n"
     "        if self.items and self.items[-1] > n:\n            self.items.pop()\n        self.items.append(n)",
     "stack = Stack()\nfor v in {x}:\n    stack.push(v)\nreturn stack.items", "a stack that drops larger numbers"),
    ("int", "int",
     "class Robot:\n    def __init__(self):\n        self.x = 0\n        self.step = {c}\n\n    def move(self, n):\n"
     "        self.x += n * self.step\n        self.step = -self.step",
     "robot = Robot()\nfor i in range({x} % 9):\n    robot.move(i)\nreturn robot.x", "a robot that turns back"),
    ("texts", "table",
     "class Shop:\n    def __init__(self):\n        self.stock = {{}}\n\n    def add(self, name):\n"
     "        self.stock[name] = self.stock.get(name, 0) + {c}",
     "shop = Shop()\nfor v in {x}:\n    shop.add(v)\nreturn shop.stock", "a shop that counts its stock"),
    ("text", "text",
     "class Tape:\n    def __init__(self, text):\n        self.text = text\n\n    def shift(self, n):\n"
     "        n = n % max(1, len(self.text))\n        self.text = self.text[n:] + self.text[:n]",
     "tape = Tape({x})\nfor i in range({c}):\n    tape.shift(i)\nreturn tape.text", "a tape that turns"),
)  # fmt: skip
"""(takes, gives, class, body of f over {x}, words)"""
T = TypeVar("T")
SLOT = re.compile(r"\{(\w+)\}")
DEEP = 2
"""Nesting of expressions."""
STATEMENTS = (0.35, 0.4, 0.25)
"""Shares of programs with one, two and three statements before the return."""
HELPER, CLASS, TWO, PAIR = 0.15, 0.12, 0.3, 0.08
"""Shares of programs with a helper, with a class, with two parameters, and that return two values."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the grammar."""

    source: str
    takes: tuple[str, ...]
    """Types of its parameters."""
    words: tuple[str, ...]
    """What its parts do."""


def draw_program(rng: np.random.Generator) -> Program:
    """A random program."""
    return _with_class(rng) if rng.random() < CLASS else _Writer(rng).program()


def draw_arguments(takes: Sequence[str], rng: np.random.Generator) -> str:
    """Random arguments of the types, as they stand in a call."""
    return ", ".join(repr(_value(kind, rng)) for kind in takes)


def _value(kind: str, rng: np.random.Generator) -> object:
    size = int(rng.integers(1, 6))
    values: dict[str, Callable[[], object]] = {
        "int": lambda: int(rng.integers(0, 30)) - (5 if rng.random() < 0.2 else 0),
        "text": lambda: _text(rng),
        "ints": lambda: [int(v) for v in rng.integers(-3, 15, size=size)],
        "texts": lambda: [WORDS[i] for i in rng.integers(len(WORDS), size=max(1, size - 1))],
        "table": lambda: {WORDS[i]: int(rng.integers(1, 12)) for i in rng.integers(len(WORDS), size=max(1, size - 2))},
    }
    return values[kind]()


def _text(rng: np.random.Generator) -> str:
    if rng.random() < 0.4:
        return " ".join(WORDS[i] for i in rng.integers(len(WORDS), size=rng.integers(1, 4)))
    return "".join(LETTERS[i] for i in rng.integers(len(LETTERS), size=rng.integers(1, 7)))


def _with_class(rng: np.random.Generator) -> Program:
    takes, _, definition, body, words = CLASSES[rng.integers(len(CLASSES))]
    name = NAMES[takes][rng.integers(len(NAMES[takes]))]
    writer = _Writer(rng)
    text = f"{writer.fill(definition, x=name)}\n\ndef f({name}):\n{_indented(writer.fill(body, x=name))}"
    return Program(text, (takes,), (words,))


@dataclass(slots=True)
class _Writer:
    """Writes one program, statement by statement."""

    rng: np.random.Generator
    known: dict[str, str] = field(default_factory=dict)
    """Variables in scope and their types."""
    lines: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    helper: tuple[str, str, str, str] | None = None

    def program(self) -> Program:
        takes = [TAKES[self.rng.integers(len(TAKES))] for _ in range(1 + (self.rng.random() < TWO))]
        names = [self.fresh(kind) for kind in takes]
        if self.rng.random() < HELPER:
            self.helper = HELPERS[self.rng.integers(len(HELPERS))]
        for _ in range(1 + int(self.rng.choice(len(STATEMENTS), p=STATEMENTS))):
            self.statement()
        self.finish()
        head = f"{self.fill(self.helper[2])}\n\n" if self.helper and "g(" in "\n".join(self.lines) else ""
        text = f"{head}def f({', '.join(names)}):\n{_indented(chr(10).join(self.lines))}"
        return Program(text, tuple(takes), tuple(self.words))

    def statement(self) -> None:
        """An assignment, a branch or a loop."""
        choice = self.rng.random()
        if choice < 0.45:
            self.assign()
        elif choice < 0.65:
            self.branch()
        else:
            self.loop()

    def assign(self) -> None:
        kind = self.choose(TYPES)
        text = self.expression(kind, DEEP)
        self.lines.append(f"{self.fresh(kind)} = {text}")

    def branch(self) -> None:
        name = self.choose(list(self.known))
        condition = self.fill(self.choose(CONDITIONS[self.known[name]]), x=name)
        kind = self.known[name]
        self.words.append(f"only under a condition ({condition})")
        self.lines += [f"if {condition}:", f"    {name} = {self.expression(kind, 1)}"]
        if self.rng.random() < 0.4:
            self.lines += ["else:", f"    {name} = {self.expression(kind, 1)}"]

    def loop(self) -> None:
        numbers = [name for name, kind in self.known.items() if kind == "int"]
        if numbers and self.rng.random() < 0.5:
            text, _, words = self.choose(COUNTED)
            name = self.choose(numbers)
            self.lines += self.fill(text, x=name, r=self.fresh("int")).split("\n")
        else:
            over, kind, begin, body, words = self.choose(
                [row for row in LOOPS if row[0] in self.known.values()] or LOOPS
            )
            looped = self.expression(over, 0)
            result = self.fresh(kind)
            variable = self.name("c" if over == "text" else "v")
            filled = self.fill(body, v=variable, r=result, x=looped)
            self.lines += [f"{result} = {self.fill(begin)}", f"for {variable} in {looped}:"]
            self.lines += [f"    {line}" for line in filled.split("\n")]
        self.words.append(words)

    def finish(self) -> None:
        """Return the last variable, or an expression, or two values."""
        last = list(self.known)[-1]
        if self.rng.random() < PAIR and len(self.known) > 1:
            self.lines.append(f"return {list(self.known)[-2]}, {last}")
        elif self.rng.random() < 0.5:
            self.lines.append(f"return {self.expression(self.choose(TYPES), 1, prefer=last)}")
        else:
            self.lines.append(f"return {last}")

    def expression(self, kind: str, depth: int, prefer: str = "") -> str:
        """An expression of a type over the variables; a bare one where nothing deeper is allowed and there is one."""
        own = [name for name, of in self.known.items() if of == kind]
        if own and (depth <= 0 or self.rng.random() < 0.25):
            return prefer if prefer in own else own[-1] if self.rng.random() < 0.6 else self.choose(own)
        if depth <= -2:
            return self.literal(kind)
        if self.helper and self.helper[1] == kind and self.rng.random() < 0.5:
            self.words.append(self.helper[3])
            return f"g({self.expression(self.helper[0], depth - 1, prefer)})"
        template, words = self.choose(EXPRESSIONS[kind])
        if depth <= 0 or self.rng.random() < 0.7:  # rather what uses a variable at hand
            at_hand = [row for row in EXPRESSIONS[kind] if _uses(row[0]) <= set(self.known.values())]
            template, words = self.choose(at_hand or EXPRESSIONS[kind])
        self.words.append(words)
        return self.fill(template, depth=depth - 1, prefer=prefer, v=self.name("v"))

    def fill(self, template: str, depth: int = 0, prefer: str = "", **given: str) -> str:
        """The template with its slots filled: each occurrence by itself, but for those that are given."""

        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name in given:
                return given[name]
            if name in TYPES:
                return _wrapped(self.expression(name, depth, prefer))
            return self.literal({"c": "small", "l": "letter", "w": "word"}[name])

        return SLOT.sub(slot, template).replace("{{", "{").replace("}}", "}")

    def literal(self, kind: str) -> str:
        """A constant."""
        if kind == "small":
            return str(self.rng.integers(2, 6))
        if kind == "letter":
            return repr(LETTERS[self.rng.integers(len(LETTERS))])
        if kind == "word":
            return repr(WORDS[self.rng.integers(len(WORDS))])
        return repr(_value(kind, self.rng))

    def fresh(self, kind: str) -> str:
        """A new variable."""
        name = self.name(self.choose(NAMES[kind]))
        self.known[name] = kind
        return name

    def name(self, wanted: str) -> str:
        return wanted if wanted not in self.known else next(
            f"{wanted}{n}" for n in range(2, 99) if f"{wanted}{n}" not in self.known
        )  # fmt: skip

    def choose(self, rows: Sequence[T]) -> T:
        return rows[int(self.rng.integers(len(rows)))]


def _uses(template: str) -> set[str]:
    return set(SLOT.findall(template)) & set(TYPES)


def _wrapped(text: str) -> str:
    """In parentheses where something behind it, such as an index, would bind to its last part only."""
    closed = (
        ast.Name,
        ast.Constant,
        ast.Call,
        ast.Subscript,
        ast.Attribute,
        *source.COMPREHENSIONS,
        ast.List,
        ast.Dict,
    )
    node = ast.parse(text, mode="eval").body
    number = isinstance(node, ast.Constant) and isinstance(node.value, int)
    return text if isinstance(node, closed) and not (number or isinstance(node, ast.GeneratorExp)) else f"({text})"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))
