"""Two kinds that plain Python does not have: find a case that breaks a rule, and write the rule from cases.

Both are about a program that azr writes around the rule's text; no text of a model is ever part of a program but as a
string literal. `message` of a task is the rule.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from azr.domains import (
    INPUT,
    OUTPUT,
    Answer,
    Block,
    BlockSyntax,
    Draft,
    Kind,
    KindOptions,
    Prompt,
    Reason,
    Task,
    Unparsed,
    last,
    only,
    returned,
)  # fmt: skip

if TYPE_CHECKING:
    from azr.sandbox import RunResult, Sandbox, Value

RULE = "rule"
LANGUAGE = """A rule says which payments are allowed. A payment is a dict with exactly these fields:
amount (int, 0 to 100000), age (int, 18 to 120), items (int, 1 to 100), country ("DE", "FR", "IT", "PL" or "US"),
approved (True or False). A rule compares fields with values (<, <=, >, >=, ==, !=, `in` a list), approved stands alone,
and all is joined by `and`, `or`, `not` and parentheses, such as:

```rule
amount <= 1000 or approved and country in ["DE", "FR"]
```
"""


def program_of(rule: str) -> str:
    """The program that tells whether a payment keeps a rule."""
    return f"import rules\n\ndef f(payment):\n    return rules.holds({rule!r}, payment)"


class Breach:
    """rule -> any payment that breaks it. The domain's verifier checks the answer."""

    kind: ClassVar[Kind] = Kind("breach")
    from_task: ClassVar[bool] = False
    tags: ClassVar[tuple[str, ...]] = (RULE,)
    propose_text: ClassVar[str] = (
        LANGUAGE
        + """
Write a new rule, and one payment that breaks it. Another reader is shown the rule and has to find such a payment; make
that hard: nest conditions, leave few payments that break it. Give the rule in one block tagged rule and the payment in
one block tagged input.
$references"""
    )
    solve_text: ClassVar[str] = (
        LANGUAGE
        + """
Find a payment that breaks this rule:

```rule
$rule
```

Give it as a dict in one block tagged input.
"""
    )

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        return {}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        return f"{syntax.render(RULE, task.message)}\n{syntax.render(INPUT, task.inputs[0])}"

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        rule = only(blocks, RULE)
        if isinstance(rule, Unparsed):
            return rule
        payment = only(blocks, INPUT)
        if isinstance(payment, Unparsed):
            return payment
        return Draft(program=program_of(rule.strip()), inputs=(payment.strip(),), message=rule.strip())

    def outputs(self, results: Sequence["RunResult"]) -> "Sequence[Value] | Reason":
        kept = returned(results)
        # Without a payment that breaks it, nobody knows whether there is one.
        return kept if isinstance(kept, Reason) or not kept[0].to_python() else Reason.INVALID_INPUT

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"rule": task.message}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, INPUT)

    def check(self, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        raise AssertionError("the domain's verifier checks breaches")


class Rule:
    """payments with verdicts -> the rule. The solver sees the first half; the rest tests what it writes."""

    kind: ClassVar[Kind] = Kind("rule")
    from_task: ClassVar[bool] = True
    tags: ClassVar[tuple[str, ...]] = (RULE,)
    propose_text: ClassVar[str] = (
        LANGUAGE
        + """
Below is a rule. Choose $count payments, some allowed by it and some not, so that another reader who sees half of them,
each with its verdict, can work out the rule. Give each as a dict in its own block tagged input.

```rule
$rule
```
"""
    )
    solve_text: ClassVar[str] = (
        LANGUAGE
        + """
Here are payments, each with True if an unknown rule allows it and False if not. Work out the rule; it is tested on
further payments. Give it in one block tagged rule.

$cases
"""
    )

    def __init__(self, options: KindOptions) -> None:
        self._options = options

    def propose_slots(self, syntax: BlockSyntax, source: Task | None) -> Mapping[str, str]:
        assert source is not None, "a proposal is about a stored rule"
        return {"rule": source.message, "count": str(self._options.inputs)}

    def show(self, syntax: BlockSyntax, task: Task) -> str:
        return f"{syntax.render(RULE, task.message)}\n{self._cases(syntax, task, len(task.inputs))}"

    def parse_proposal(self, blocks: Sequence[Block], prompt: Prompt) -> Draft | Unparsed:
        assert prompt.task is not None, "a proposal is about a stored rule"
        payments = last(blocks, INPUT, self._options.inputs)
        if isinstance(payments, Unparsed):
            return payments
        inputs = tuple(payment.strip() for payment in payments)
        return Draft(program=prompt.task.program, inputs=inputs, message=prompt.task.message)

    def outputs(self, results: Sequence["RunResult"]) -> "Sequence[Value] | Reason":
        verdicts = returned(results)
        if isinstance(verdicts, Reason):
            return verdicts
        hidden = {verdict.to_python() for verdict in verdicts[len(verdicts) // 2 :]}
        # Else a rule that allows everything, or nothing, would pass.
        return verdicts if len(hidden) == 2 else Reason.INVALID_INPUT

    def solve_slots(self, syntax: BlockSyntax, task: Task) -> Mapping[str, str]:
        return {"cases": self._cases(syntax, task, len(task.inputs) // 2)}

    def parse_answer(self, blocks: Sequence[Block]) -> str | Unparsed:
        return only(blocks, RULE)

    def check(self, sandbox: "Sandbox", answers: Sequence[tuple[Task, str]]) -> list[Answer]:
        items = []
        for task, rule in answers:
            half = len(task.inputs) // 2
            hidden = list(zip(task.inputs[half:], task.outputs[half:], strict=True))
            items.append((program_of(rule.strip()), hidden))
        return [
            Answer(score=1.0, reason="correct") if all(check.passed) else Answer(score=0.0, reason="wrong")
            for check in sandbox.check_program(items, mode="strict")
        ]

    @staticmethod
    def _cases(syntax: BlockSyntax, task: Task, count: int) -> str:
        pairs = zip(task.inputs[:count], task.outputs[:count], strict=True)
        return "\n".join(f"{syntax.render(INPUT, text)}\n{syntax.render(OUTPUT, value.repr)}" for text, value in pairs)
