"""Stage 2: proposals -> valid tasks, or rejections with a reason, by running them in the sandbox.

No task is accepted without running it, and model-written code runs only in the sandbox. Every proposal gets one
verdict, in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from azr.domains.appraise import appraise
from azr.pipeline.parts import Parts
from azr.tasks.common import exception_of, fuel_of, run_drafts, whole_program
from azr.tasks.composite import extends, fits
from azr.types import Draft, Prompt, Proposal, Reason, Rejected, Task, Unparsed, Valid

if TYPE_CHECKING:
    from azr.sandbox import RunResult


def validate(parts: Parts, proposals: Sequence[Proposal], step: int) -> list[Valid | Rejected]:
    """One verdict for each proposal."""
    verdicts: list[Valid | Rejected | None] = [_read(proposal) for proposal in proposals]
    _filter(parts, proposals, verdicts)
    _run(parts, proposals, verdicts, step)
    return appraise(parts.kinds, [verdict for verdict in verdicts if verdict is not None])


def _read(proposal: Proposal) -> Rejected | None:
    """Reject what could not be parsed or has the wrong format, or never came."""
    if error := proposal.completion.error:
        return Rejected(proposal=proposal, reason=Reason.NO_COMPLETION, detail=error)
    if isinstance(proposal.draft, Unparsed):
        detail = f"{proposal.draft.flaw}: {proposal.draft.detail}"
        return Rejected(proposal=proposal, reason=Reason.UNPARSEABLE, detail=detail)
    if not proposal.formatted:
        return Rejected(proposal=proposal, reason=Reason.BAD_FORMAT)
    return None


def _filter(parts: Parts, proposals: Sequence[Proposal], verdicts: list[Valid | Rejected | None]) -> None:
    """Reject programs that fail the static filter. Stored programs have already passed it."""
    own = [
        index
        for index, proposal in enumerate(proposals)
        if verdicts[index] is None and not parts.kinds[proposal.kind].from_task
    ]
    for index, reason in _filtered(parts, proposals, own):
        proposal = proposals[index]
        if reason is None and not _built_on(_draft(proposal).program, proposal.completion.prompt):
            reason = Reason.BAD_COMPOSITE
        if reason is not None:
            verdicts[index] = Rejected(proposal=proposal, reason=reason)


def _built_on(program: str, prompt: Prompt) -> bool:
    """Whether a program uses the earlier ones as its prompt requires."""
    if prompt.start:
        return extends(program, prompt.start)
    return not prompt.composites or fits(program, len(prompt.composites))


def _filtered(parts: Parts, proposals: Sequence[Proposal], own: Sequence[int]) -> Iterator[tuple[int, Reason | None]]:
    """The static filter's results, by each domain's own filter."""
    for domain in dict.fromkeys(proposals[index].kind.domain for index in own):
        rows = [index for index in own if proposals[index].kind.domain == domain]
        programs = [_draft(proposals[index]).program for index in rows]
        yield from zip(rows, parts.static_filter(domain).check(parts.sandbox, programs), strict=True)


def _run(parts: Parts, proposals: Sequence[Proposal], verdicts: list[Valid | Rejected | None], step: int) -> None:
    """Run the rest in one batch."""
    left = [index for index, verdict in enumerate(verdicts) if verdict is None]
    items = []
    for index in left:
        draft = _draft(proposals[index])
        program = whole_program(draft, proposals[index].completion.prompt)
        items.append((proposals[index].kind, program, draft.inputs))
    for index, validation in zip(left, run_drafts(parts.kinds, parts.sandbox, items), strict=True):
        proposal = proposals[index]
        kind = parts.kinds[proposal.kind]
        made = kind.materialise(_draft(proposal), proposal.completion, validation.results)
        verdicts[index] = _verdict(parts, proposal, made, validation.results, step)


def _verdict(
    parts: Parts, proposal: Proposal, made: Task | Reason, results: "Sequence[RunResult]", step: int
) -> Valid | Rejected:
    fuel = fuel_of(results)
    if isinstance(made, Task):
        task = replace(made, step=step)
        prompt = parts.renderer.solve(task)
        # Every stored task can be served, so no later filter can under-fill a batch.
        if len(prompt.token_ids) <= parts.config.prompt.max_tokens:
            return Valid(proposal=proposal, task=task, fuel=fuel, prompt=prompt)
        made = Reason.TOO_LONG
    detail = exception_of(results) if made is Reason.RAISED else ""
    return Rejected(proposal=proposal, reason=made, detail=detail, fuel=fuel)


def _draft(proposal: Proposal) -> Draft:
    assert isinstance(proposal.draft, Draft), "unread proposals were rejected before"
    return proposal.draft
