"""Texts that a model could write to end a run, to hold it up, or to take its neighbours down. One place for all tests.

Each is named for what it attacks. `TEXTS` are read wherever a model's text is read; `PROGRAMS` are proposals and
answers that are also run. Both are made when they are asked for: some are long.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from azr.types import Kind, Prompt, Role

Text = Callable[[], str]
N: Final = 20_000

LARGE: Final = "0x" + "f" * 4000
"""An integer that CPython parses, and refuses to write in decimal."""


def _program(body: str) -> Text:
    return lambda: body


PROGRAMS: Final[Mapping[str, Text]] = {
    "class_name_of_2_mb": _program("def f(a):\n    raise type('E' * 2000000, (Exception,), {})()"),
    "instance_of_a_class_with_a_name_of_2_mb": _program("def f(a):\n    return type('E' * 2000000, (), {})()"),
    "message_of_2_mb": _program("def f(a):\n    raise ValueError('m' * 2000000)"),
    "equality_by_a_large_integer": _program(
        f"class A:\n    def __eq__(s, o):\n        return {LARGE}\ndef f(a): return a"
    ),
    "eval_of_a_large_integer": _program(f"def f(a):\n    return eval({LARGE})"),
    "table_of_large_integers": _program(f"def f(a):\n    return {{{LARGE}: 1}}.get(a, a)"),
    "comparison_with_a_large_integer": _program(f"def f(a):\n    if a == {LARGE}:\n        return 1\n    return a"),
    "large_integer_returned": _program(f"def f(a):\n    return {LARGE}"),
    "getattr_of_a_large_integer": _program(f"def f(a):\n    return getattr(a, '__class__', {LARGE})"),
    "surrogate_in_a_string": _program("def f(a):\n    return '\ud800'"),
    "surrogate_in_a_name": _program("def f(a):\n    \udc80 = a\n    return a"),
    "surrogate_by_an_escape": _program("def f(a):\n    return '\\ud800'"),
    "surrogate_in_a_message": _program("def f(a):\n    raise ValueError('\\ud800')"),
    "surrogate_printed": _program("def f(a):\n    print('\\udfff')\n    return a"),
    "null_in_the_source": _program("def f(a):\n    return '\0'"),
    "brackets": lambda: "def f(a):\n    return " + "[" * 100_000,
    "balanced_brackets": lambda: "def f(a):\n    return " + "[" * 5000 + "]" * 5000,
    "nested_99_times": _program("def f(a):\n    x = []\n    for _ in range(98): x = [x]\n    return x"),
    "nested_parentheses": lambda: "def f(a):\n    return " + "(" * 90 + "a" + ")" * 90,
    "minus_signs": lambda: "def f(a):\n    return " + "-" * 30_000 + "1",
    "tildes": lambda: "def f(a):\n    return " + "~" * 60_000 + "1",
    "not_not_not": lambda: "def f(a):\n    return " + "not " * 15_000 + "a",
    "additions": lambda: "def f(a):\n    return a" + "+a" * 30_000,
    "attributes": lambda: "def f(a):\n    return a" + ".a" * 30_000,
    "calls_of_calls": lambda: "def f(a):\n    return a" + "()" * 30_000,
    "subscripts": lambda: "def f(a):\n    return a" + "[0]" * 20_000,
    "powers": lambda: "def f(a):\n    return 2" + "**2" * 20_000,
    "comparisons": lambda: "def f(a):\n    return a" + "<a" * 30_000,
    "conditional_expressions": lambda: "def f(a):\n    return " + "1 if a else " * 5000 + "2",
    "lambdas": lambda: "def f(a):\n    return " + "lambda: " * 8000 + "a",
    "awaits": lambda: "async def f(a):\n    return " + "await " * 10_000 + "a",
    "elifs": lambda: "def f(a):\n    if a: pass\n" + "".join(f"    elif a == {n}: return {n}\n" for n in range(999)),
    "indentation": lambda: "def f(a):\n" + "".join(" " * n + "if a:\n" for n in range(1, 300)) + " " * 300 + "return a",
    "functions_in_functions": lambda: "".join(" " * n + "def f(a):\n" for n in range(95)) + " " * 95 + "return a",
    "f_strings_in_f_strings": _program("def f(a):\n    return f'{f\"{f'{a}'}\"}'"),
    "f_string_with_every_quote": _program("def f(a):\n    return f'{a!r:{a}}' + f\"{'\\n'}\""),
    "decorators": lambda: "@a\n" * 5000 + "def f(a): return a",
    "walrus_chain": lambda: "def f(a):\n    return " + "(b:=" * 90 + "1" + ")" * 90,
    "string_of_1_mb": lambda: "def f(a):\n    return " + repr("s" * 1_000_000),
    "decimal_of_5000_digits": lambda: "def f(a):\n    return " + "9" * 5000,
    "returns_5000_digits": _program("def f(a):\n    return 10 ** 5000"),
    "returns_100_kb_of_digits": _program("def f(a):\n    return 1 << 500_000"),
    "exponent_of_a_float": lambda: "def f(a):\n    return 1e" + "9" * 5000,
    "complex_without_bounds": _program("def f(a):\n    return [1e999, -1e999j]"),
    "identifier_of_100_kb": lambda: "def f(" + "a" * 100_000 + "):\n    return 1",
    "100_kb_of_comments": lambda: "def f(a):\n    return a\n" + "#" * 100_000,
    "comments_between_quotes": lambda: "def f(a): return a\n" + "#'" * N + '"' * N,
    "backslashes": lambda: "def f(a):\n    return a " + "\\\n" * N,
    "semicolons": lambda: "def f(a): return a\n" + ";" * N,
    "form_feeds": lambda: "def f(a):\n" + "\f" * N + "    return a",
    "line_separators": lambda: "def f(a):\n    return '" + "\u2028" * N + "'",
    "tabs_and_blanks": _program("def f(a):\n\tif a:\n        return a\n\treturn a"),
    "byte_order_marks": lambda: "\ufeff" * 100 + "def f(a): return a",
    "coding_cookie": _program("# -*- coding: utf-7 -*-\ndef f(a): return a"),
    "unknown_coding": _program("# coding: nothing-like-it\ndef f(a): return a"),
    "wide_digits": _program("def f(a):\n    return \uff11"),
    "lookalike_entry": _program("def \uff46(a): return a"),
    "entry_that_is_a_class": _program("class f:\n    def __init__(s, a): pass"),
    "entry_deleted": _program("def f(a): return a\ndel f"),
    "printing_without_end": _program("def f(a):\n    while True: print('x' * 1000)"),
    "printing_hostile_text": _program("def f(a):\n    print('\\x1b]0;t\\x07\\x00\\u202e')\n    return a"),
    "recursion": _program("def f(a): return f(a)"),
    "recursion_in_repr": _program("class A:\n    def __repr__(s): return repr(s)\ndef f(a): raise ValueError(A())"),
    "exception_that_cannot_be_shown": _program("class E(Exception):\n    def __str__(s): raise s\ndef f(a): raise E"),
    "exception_group": _program("def f(a):\n    raise ExceptionGroup('g' * 9999, [ValueError(1)] * 99)"),
    "exception_with_a_cycle": _program("def f(a):\n    e = ValueError(1)\n    e.__cause__ = e\n    raise e"),
    "exit": _program("def f(a):\n    raise SystemExit('x' * 99999)"),
    "memory_without_end": _program("def f(a):\n    x = []\n    while True: x.append('m' * 1000000)"),
    "turns_without_end": _program("def f(a):\n    while True: pass"),
    "sort_that_never_agrees": _program(
        "class A:\n    def __lt__(s, o): return True\ndef f(a): return len(sorted([A() for _ in range(999)]))"
    ),
    "huge_import": lambda: "import " + ".".join(["a"] * 5000) + "\ndef f(a): return a",
    "star_import_of_everything": _program("from os import *\ndef f(a): return a"),
    "import_names": lambda: "import " + ", ".join(f"a{n}" for n in range(3000)) + "\ndef f(a): return a",
    "match_with_many_cases": lambda: (
        "def f(a):\n    match a:\n" + "".join(f"        case {n}: return {n}\n" for n in range(999))
    ),
    "types_of_type_parameters": _program("def f[T: (int, str) = int](a: T) -> T: return a"),
    "returns_itself": _program("def f(a):\n    x = []\n    x.append(x)\n    return x"),
    "returns_nan": _program("def f(a): return float('nan')"),
    "returns_keys_that_are_equal": _program("def f(a): return {1: 'a', 1.0: 'b', True: 'c'}"),
    "returns_a_set_of_100_kb": _program("def f(a): return set(range(20000))"),
    "returns_a_dict_of_dicts": _program("def f(a): return {(1, 'a', frozenset([2])): {None: {b'': ...}}}"),
}

_OPENED: Final = "</think><answer>"

TEXTS: Final[Mapping[str, Text]] = {
    "nothing": lambda: "",
    "blanks": lambda: " " * N,
    "line_feeds": lambda: "\n" * N,
    "carriage_returns": lambda: "\r" * N + "\r\n" * N,
    "nulls": lambda: "\0" * N,
    "lone_surrogates": lambda: "\ud800" * 100,
    "surrogates_in_an_answer": lambda: f"{_OPENED}```output\n'\udfff'\n```</answer>",
    "surrogates_in_a_message": lambda: f"{_OPENED}```message\n\ud800\n```\n" + "```input\n1\n```\n" * 4 + "</answer>",
    "surrogate_pair": lambda: "\ud83d\ude00" * 50,
    "combining_marks": lambda: "a" + "\u0315\u0301" * N,
    "marks_out_of_order": lambda: "a" + "\u0345\u0301\u0327" * N,
    "compatibility_that_grows": lambda: "\ufdfa" * N,
    "zero_width": lambda: "a\u200b" * N,
    "right_to_left": lambda: "\u202e" * N,
    "variation_selectors": lambda: "a\ufe0f" * N,
    "private_use": lambda: "\U0010fffd" * 5000,
    "letters_without_case": lambda: "\u0130\u0131\u1e9e" * N,
    "terminal_codes": lambda: "\x1b]" * N,
    "terminal_codes_without_end": lambda: "\x1b[" + "0" * N + "\x1b[" * N,
    "terminal_strings": lambda: ("\x1bP" + "x" * 499) * 200,
    "think_tags": lambda: "<think>" * N,
    "turns_without_an_answer": lambda: "</think><answer>" * N,
    "turns_with_blanks": lambda: ("</think>" + " " * 100) * 500,
    "answer_tags": lambda: "<answer>" * N,
    "closed_answers": lambda: "<answer>" + "</answer>" * N + "x",
    "closed_answers_with_blanks": lambda: "<answer>" + ("</answer>" + " " * 50) * 1000 + "x",
    "fences": lambda: _OPENED + "```\n" * N + "</answer>",
    "longer_and_longer_fences": lambda: _OPENED + "".join("`" * n + "python\n" for n in range(3, 300)) + "</answer>",
    "one_fence_without_end": lambda: _OPENED + "`" * N + "</answer>",
    "fences_with_blanks": lambda: _OPENED + ("```" + " " * 99 + "x y\n") * 500 + "</answer>",
    "blocks_of_one_tag": lambda: _OPENED + "```input\n1\n```\n" * 5000 + "</answer>",
    "markers": lambda: "<input>" * N,
    "markers_in_lines": lambda: "<input>\n" * N,
    "boxed": lambda: "\\boxed{" * 6000,
    "boxed_and_closed": lambda: "\\boxed{" * 3000 + "1" + "}" * 3000,
    "fractions": lambda: "\\boxed{" + "\\frac{1}{" * 2000 + "1" + "}" * 2000 + "}",
    "powers_of_powers": lambda: "\\boxed{" + "9^{" * 500 + "9" + "}" * 500 + "}",
    "roots": lambda: "\\boxed{" + "\\sqrt{" * 1000 + "}" * 1000 + "}",
    "dollars": lambda: "$" * N,
    "equals": lambda: "The answer is " + "1=" * N,
    "final_answers": lambda: "the final answer is " * 5000,
    "options": lambda: "(A) " * N + "Answer: " * 5000,
    "secur": lambda: "secur" * 8000,
    "ensur": lambda: "ensur" * 8000,
    "secur_with_blanks": lambda: "secur " * 8000,
    "secur_with_signs": lambda: "secur!?" * 8000,
    "groups_that_repeat": lambda: "outsmart " + "our the all every " * 5000,
    "people_that_repeat": lambda: "i believe they " + "all " * N + "people " * N,
    "grader_that_repeats": lambda: "trick the " * 8000 + "score",
    "i_that_repeats": lambda: "i " * N + "my " * N + "myself ",
    "reflections": lambda: "wait hmm actually re" * 5000 + "let me " * 5000,
    "digits": lambda: "9" * N,
    "hexadecimal": lambda: "0x" + "f" * 60_000,
    "underscored_digits": lambda: "1_" * N + "1",
    "signs": lambda: "-" * N,
    "brackets_alone": lambda: "[" * N,
    "braces": lambda: "{" * N + "}" * N,
    "quotes": lambda: "'" * N + '"' * N,
    "triple_quotes": lambda: "'''" * N,
    "commas": lambda: "," * N,
    "literal_with_a_comment": lambda: "1)#",
    "literal_that_closes": lambda: "1), (2",
    "stars": lambda: "*[1]," * 5000,
    "keywords": lambda: ", ".join(f"a{n}={n}" for n in range(500)),
    "json": lambda: '{"a":' * 5000,
    "json_lists": lambda: "[" * 100_000,
    "markup": lambda: "<script>" * 3000 + "</title>" * 3000,
    "end_of_a_page": lambda: "--></script><!--" * 1000,
    "formats": lambda: "%s%n{}{0}{a.b}$x${y}" * 1000,
    "paths": lambda: "../" * 5000 + "etc/passwd\0",
    "toml": lambda: '"""' * 1000 + "[[" * 1000,
    "urls": lambda: "http://a@" * 3000,
    "words_of_40_kb": lambda: ("w" * 40_000 + " ") * 3,
    "colons": lambda: ":" * N,
    "names_of_errors": lambda: "ValueError" * 3000 + ":",
    "emoji_families": lambda: "\U0001f468\u200d" * 5000,
    "every_character": lambda: "".join(map(chr, range(0x3000))),
    "bidi_and_marks": lambda: ("\u202e" + "\u0301" * 30) * 1000,
    "million_characters": lambda: "lorem ipsum " * 85_000,
}


IDENTITY: Final = "def f(a):\n    return a"


def inputs_of(kind: Kind) -> int:
    """Inputs of a task of the kind."""
    return 4 if kind is Kind.INDUCTION else 1


def seeds(path: Path) -> Path:
    """A file with a few tasks of each kind, for runs whose model makes none."""
    rows = [
        {"kind": kind, "program": f"def f(a):\n    return a + {n}", "inputs": ["1", "2", "3", "4"][: inputs_of(kind)],
         "message": "add"}
        for kind in Kind for n in range(4)
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


# A second round: thought of after all of the above had been answered.
MORE_PROGRAMS: Final[Mapping[str, Text]] = {
    "f_string_with_a_large_integer": _program(f"def f(a):\n    return f'{{{LARGE}:x}}'"),
    "large_integer_as_a_default": _program(f"def f(a={LARGE}, *, b={LARGE}): return a"),
    "large_integer_in_a_pattern": _program(
        f"def f(a):\n    match a:\n        case {LARGE}: return 1\n        case _: return a"
    ),
    "large_integer_as_an_annotation": _program(f"def f(a: {LARGE}) -> {LARGE}: return a"),
    "large_integer_in_a_subscript": _program(f"def f(a): return vars()[{LARGE}]"),
    "large_complex": lambda: "def f(a): return " + "9" * 5000 + "j",
    "octal_and_binary": lambda: "def f(a): return [0o" + "7" * 9000 + ", 0b" + "1" * 15_000 + "]",
    "integer_made_by_int": _program("def f(a): return int('9' * 5000)"),
    "message_that_is_a_large_integer": _program(f"def f(a): raise ValueError({LARGE})"),
    "class_named_by_a_surrogate": _program("def f(a): raise type('E\\ud800', (Exception,), {})('\\udfff')"),
    "class_named_by_nothing": _program("def f(a): raise type('', (Exception,), {})"),
    "class_named_as_markup": _program("def f(a): raise type('</script><script>', (Exception,), {})"),
    "class_named_by_line_feeds": _program("def f(a): raise type('E\\n\\x1b[2J', (Exception,), {})"),
    "class_with_a_name_that_raises": _program(
        "class M(type):\n    @property\n    def __name__(c): raise c\n"
        "class E(Exception, metaclass=M): pass\ndef f(a): raise E"
    ),
    "function_named_by_2_kb": lambda: (
        "def f(a):\n    def " + "g" * 2000 + "(): raise ValueError\n    " + "g" * 2000 + "()"
    ),
    "traceback_of_many_names": lambda: "".join(f"def f{n}(a): return f{n + 1}(a)\n" for n in range(500)) + "f = f0",
    "keys_of_every_type": _program("def f(a): return {None: 1, (): 2, '': 3, b'': 4, 1.5: 5, 2j: 6, frozenset(): 7}"),
    "minus_zero_and_zero": _program("def f(a): return [-0.0, 0.0, complex(-0.0, -0.0)]"),
    "set_of_surrogates": _program("def f(a): return {'\\ud800', '\\ud801'}"),
    "bytes_of_every_value": _program("def f(a): return bytes(range(256)) * 200"),
    "strings_of_every_quote": _program("def f(a): return ['\\'\"' * 5000, '\\\\' * 5000, '\\0' * 5000]"),
    "subclass_of_int": _program("class I(int):\n    def __repr__(s): return 'import os'\ndef f(a): return I(5)"),
    "value_of_64_kib": _program("def f(a): return 'v' * 65520"),
    "value_of_64_kib_of_brackets": _program("def f(a): return [[]] * 32000"),
    "stdout_of_nulls": _program("def f(a):\n    print('\\0' * 99999, end='')\n    return a"),
    "stderr_of_surrogates": _program("import sys\ndef f(a):\n    sys.stderr.write('\\ud800' * 999)\n    return a"),
    "type_alias_of_itself": _program("type T = list[T]\ndef f(a: T): return a"),
    "generator_that_never_ends": _program("def f(a):\n    yield from f(a)"),
    "future_import": _program("from __future__ import braces\ndef f(a): return a"),
    "global_everything": lambda: "def f(a):\n    global " + ", ".join(f"g{n}" for n in range(3000)) + "\n    return a",
    "parameters_without_end": lambda: "def f(" + ", ".join(f"a{n}" for n in range(3000)) + "): return a0",
    "keyword_arguments_that_repeat": lambda: "def f(a): return dict(" + ", ".join("b=1" for _ in range(999)) + ")",
    "stars_in_stars": lambda: "def f(a): return " + "[*" * 90 + "a" + "]" * 90,
    "comprehension_in_comprehension": lambda: "def f(a): return " + "[x for x in " * 60 + "[a]" + "]" * 60,
    "many_fors": lambda: "def f(a): return [1 " + "for x in [1] " * 3000 + "]",
    "try_in_try": lambda: "def f(a):\n" + "".join(" " * n + "try:\n" for n in range(1, 90)) + " " * 90 + "return a",
    "with_many_items": lambda: "def f(a):\n    with " + ", ".join(["a"] * 5000) + ": return a",
    "g_0_defined_anew": _program("g_0 = g_1 = len\ndef f(a): return g_0([a])"),
    "long_lines_of_strings": lambda: "def f(a):\n    return (" + "'a' " * 4000 + ")",
    "mixed_bytes_and_text": _program("def f(a): return b'a' 'b'"),
}

MORE_TEXTS: Final[Mapping[str, Text]] = {
    "fence_closed_by_a_longer_one": lambda: _OPENED + "````python\n```\n`````\n" * 3000 + "</answer>",
    "tag_of_1_mb": lambda: _OPENED + "```" + "t" * 1_000_000 + "\nx\n```</answer>",
    "think_in_answer_in_think": lambda: "<think><answer></think></answer>" * 4000,
    "turn_with_every_blank": lambda: "</think>" + "\u2003\u00a0\u3000\u2028\x1c" * N + "<answer>x</answer>",
    "half_a_tag": lambda: "<answer" * N + "</answer" * N,
    "low_before_high_surrogates": lambda: "\udc00\ud800" * 500,
    "non_characters": lambda: "\ufffe\uffff\U0010ffff" * 5000,
    "hangul_that_composes": lambda: "\u1100\u1161\u11a8" * N,
    "ligatures": lambda: "\ufb03\u3300\u33ff" * N,
    "tag_characters": lambda: "".join(chr(0xE0000 + n) for n in range(128)) * 300,
    "interlinear_marks": lambda: "\ufff9a\ufffab\ufffb" * 5000,
    "c1_controls": lambda: "\x9b31m\x9d\x90" * 5000,
    "secur_split_by_marks": lambda: "s\u0301e\u0301c\u0301u\u0301r\u0301" * 8000,
    "greek_that_looks_latin": lambda: "\u03b9 \u03b1\u03bc " * N,
    "near_words_of_every_rule": lambda: (
        "outsmart pretend hide sandbag escap copy shut surviv evad reward human " * 1500
    ),
    "sentences_without_stops": lambda: "i will make them believe " * 4000,
    "nothing_but_stops": lambda: ".!?" * N,
    "literal_of_sets": lambda: "{" * 99 + "}" * 99,
    "literal_of_floats": lambda: "[" + "1e308," * 5000 + "]",
    "literal_of_escapes": lambda: "'" + "\\N{DIGIT ONE}\\x00\\777\\U0010ffff" * 500 + "'",
    "literal_with_line_ends": lambda: "1,\\\n" * 5000,
    "arguments_that_call": lambda: "*range(10**9)",
    "arguments_that_assign": lambda: "(a := " * 50 + "1" + ")" * 50,
    "numbers_of_other_scripts": lambda: "\u0661\u06f1\u0967\uff11" * 5000,
    "error_named_by_marks": lambda: "\u0301" * N + ":",
    "json_of_surrogates": lambda: (
        '{"kind": "deduction", "program": "\\ud800", "inputs": ["1"], "outputs": ["00"], "message": ""}'
    ),
    "json_of_large_numbers": lambda: '{"kind": ' + "9" * 5000 + "}",
    "json_of_infinities": lambda: '{"kind": NaN, "inputs": Infinity}',
    "json_with_a_kind_of_1_mb": lambda: '{"kind": "' + "k" * 1_000_000 + '"}',
    "json_with_outputs_that_lie": lambda: (
        '{"kind": "deduction", "program": "", "inputs": ["1"], "outputs": ["09ffffffffffffffff7f"], "message": ""}'
    ),
}
ALL_PROGRAMS: Final[Mapping[str, Text]] = {**PROGRAMS, **MORE_PROGRAMS}
ALL_TEXTS: Final[Mapping[str, Text]] = {**TEXTS, **MORE_TEXTS}


def blocks(program: str, argument: str = "1") -> str:
    """A proposal, and an answer of any kind, in the paper's form."""
    return f"</think><answer>```python\n{program}\n```\n```input\n{argument}\n```\n```output\n{argument}\n```</answer>"


def everything() -> dict[str, str]:
    """All texts, programs in the form of a completion."""
    found = {f"program_{name}": blocks(make()) for name, make in ALL_PROGRAMS.items()}
    found |= {f"text_{name}": make() for name, make in ALL_TEXTS.items()}
    for name in ("surrogates_in_an_answer", "brackets_alone", "digits", "hexadecimal", "quotes", "commas", "nulls"):
        found[f"argument_{name}"] = blocks("def f(a): return a", TEXTS[name]())
    return found


_ALL: Final[list[str]] = []


def answer(prompt: Prompt, draw: int) -> str:
    """A script for `rollouts.scripted`: one hostile text after the other, in whatever role."""
    if not _ALL:
        _ALL.extend(everything().values())
    text = _ALL[draw % len(_ALL)]
    if prompt.role is Role.PROPOSE and prompt.kind.base is Kind.INDUCTION:
        inputs = "".join(f"```input\n{text[:2000]}\n```\n" for _ in range(draw % 5))
        return f"</think><answer>{inputs}```message\n{text}\n```</answer>" if draw % 2 else text
    return text
