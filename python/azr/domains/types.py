"""A domain's value types: what programs may return besides plain data.

A program of a domain with types runs with an epilogue: the result of `f` passes through the domain's encoders, in the
guest. A program that tampers with them gains nothing, since it decides its result anyway. Answers, verdicts and
comparisons use the encoded plain data, which no program can reach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from azr.config.domain import TypeSection

if TYPE_CHECKING:
    from azr.sandbox import Check, Limits, Mode, Outcome, ProgramCheck, Request, Sandbox, Validation, Value

MODULE = "_azr_types"
"""Name of the guest module with a domain's encoders."""
EPILOGUE = f"\n\nimport {MODULE}\nf = {MODULE}.wrap(f)\n"

BODY = """

def plain(value):
    kind = type(value)
    if kind in ENCODERS:
        name, encode = ENCODERS[kind]
        return (name, plain(encode(value)))
    if kind is list or kind is tuple or kind is set or kind is frozenset:
        return kind([plain(item) for item in value])
    if kind is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def wrap(f):
    def returns_plain(*arguments, **named):
        return plain(f(*arguments, **named))

    return returns_plain
"""


def module_source(types: Mapping[str, TypeSection]) -> str:
    """Source of the guest module that encodes instances as (type name, plain data), at any depth."""
    modules = sorted({name.split(":")[0] for given in types.values() for name in (given.type, given.encode)})
    imports = "\n".join(f"import {module}" for module in modules)
    rows = [
        f"    {given.type.replace(':', '.')}: ({name!r}, {given.encode.replace(':', '.')}),"
        for name, given in sorted(types.items())
    ]
    return imports + "\n\nENCODERS = {\n" + "\n".join(rows) + "\n}\n" + BODY


class TypedSandbox:
    """A sandbox for programs that return instances of a domain's types."""

    def __init__(self, inner: "Sandbox") -> None:
        self._inner = inner

    @property
    def limits(self) -> "Limits":
        return self._inner.limits

    def run_batch(self, requests: "Sequence[Request]") -> "list[Outcome]":
        return self._inner.run_batch([replace(request, program=request.program + EPILOGUE) for request in requests])

    def validate(self, items: Sequence[tuple[str, Sequence[str]]]) -> "list[Validation]":
        return self._inner.validate([(program + EPILOGUE, inputs) for program, inputs in items])

    def check_output(
        self, items: "Sequence[tuple[str, Value]]", mode: "Mode" = "python", tolerance: float | None = None
    ) -> "list[Check]":
        return self._inner.check_output(items, mode, tolerance)

    def check_input(
        self, items: "Sequence[tuple[str, str, Value]]", mode: "Mode" = "python", tolerance: float | None = None
    ) -> "list[Check]":
        typed = [(program + EPILOGUE, answer, gold) for program, answer, gold in items]
        return self._inner.check_input(typed, mode, tolerance)

    def check_program(
        self,
        items: "Sequence[tuple[str, Sequence[tuple[str, Value]]]]",
        mode: "Mode" = "python",
        tolerance: float | None = None,
    ) -> "list[ProgramCheck]":
        return self._inner.check_program([(program + EPILOGUE, pairs) for program, pairs in items], mode, tolerance)
