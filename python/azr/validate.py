"""Stage 2: proposals -> valid tasks, or rejections with a reason, by running them in the sandbox.

No task is accepted without running it, and model-written code runs only in the sandbox. Every proposal gets one
verdict, in order.

What costs least rejects first: reading, then the static filter, then the run. The static filter does not make a program
safe, the sandbox does; it keeps out what a config forbids, and saves runs. Each step works on all proposals at once, so
that the sandbox gets one batch for each domain and not one for each proposal.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from azr.domains.appraise import appraise
from azr.pipeline.parts import Parts
from azr.tasks.common import by_domain, exception_of, fuel_of
from azr.tasks.composite import extends, fits
from azr.types import Draft, Prompt, Proposal, Reason, Rejected, Task, Unparsed, Valid

if TYPE_CHECKING:
    from azr.sandbox import RunResult


def validate(parts: Parts, proposals: Sequence[Proposal], step: int) -> list[Valid | Rejected]:
    """One verdict for each proposal."""
    verdicts: dict[int, Valid | Rejected] = dict(_unrunnable(parts, proposals))
    drafts = {at: p.draft for at, p in enumerate(proposals) if at not in verdicts and isinstance(p.draft, Draft)}
    for rows in by_domain((proposals[at].kind for at in drafts), drafts):
        sandbox = parts.kinds[proposals[rows[0]].kind].home(parts.sandbox)
        before = [proposals[at].completion.prompt.before for at in rows]
        programs = [(earlier + drafts[at].program, drafts[at].inputs) for earlier, at in zip(before, rows, strict=True)]
        for at, (program, _), ran in zip(rows, programs, sandbox.validate(programs), strict=True):
            verdicts[at] = _verdict(parts, proposals[at], program, drafts[at], ran.results, step)
    appraise(parts.kinds, verdicts)
    return [verdicts[at] for at in range(len(proposals))]


def _unrunnable(parts: Parts, proposals: Sequence[Proposal]) -> Iterator[tuple[int, Rejected]]:
    """Rejections of what does not run: missing, unparsed, badly formatted, or forbidden by the static filter."""
    own: dict[int, str] = {}
    for at, proposal in enumerate(proposals):
        if error := proposal.completion.error:
            yield at, Rejected(proposal=proposal, reason=Reason.NO_COMPLETION, detail=error)
        elif isinstance(proposal.draft, Unparsed):
            detail = f"{proposal.draft.flaw}: {proposal.draft.detail}"
            yield at, Rejected(proposal=proposal, reason=Reason.UNPARSEABLE, detail=detail)
        elif not proposal.formatted:
            yield at, Rejected(proposal=proposal, reason=Reason.BAD_FORMAT)
        elif not parts.kinds[proposal.kind].from_task:  # stored programs have passed the filter already
            own[at] = proposal.draft.program
    for rows in by_domain((proposals[at].kind for at in own), own):
        allowed = parts.static_filter(proposals[rows[0]].kind.domain)
        for at, reason in zip(rows, allowed.check(parts.sandbox, [own[at] for at in rows]), strict=True):
            if reason is None and not _built_on(own[at], proposals[at].completion.prompt):
                reason = Reason.BAD_COMPOSITE
            if reason is not None:
                yield at, Rejected(proposal=proposals[at], reason=reason)


def _built_on(program: str, prompt: Prompt) -> bool:
    """Whether a program uses the earlier ones as its prompt requires."""
    if prompt.start:
        return extends(program, prompt.start)
    return not prompt.composites or fits(program, len(prompt.composites))


def _verdict(
    parts: Parts, proposal: Proposal, program: str, draft: Draft, results: "Sequence[RunResult]", step: int
) -> Valid | Rejected:
    """The verdict on a proposal that ran. `program`: the source that ran, the composites' before the model's."""
    outputs, fuel = parts.kinds[proposal.kind].outputs(results), fuel_of(results)
    if isinstance(outputs, Reason):
        detail = exception_of(results) if outputs is Reason.RAISED else ""
        return Rejected(proposal=proposal, reason=outputs, detail=detail, fuel=fuel)
    asked = proposal.completion.prompt
    shown = asked.references if asked.task is None else (*asked.references, asked.task)
    task = Task(
        kind=proposal.kind,
        program=program,
        inputs=draft.inputs,
        outputs=tuple(outputs),
        message=draft.message,
        step=step,
        references=tuple(task.id for task in shown if task.id is not None),
        parents=tuple(task.id for task in asked.composites if task.id is not None),
    )
    prompt = parts.renderer.solve(task)
    # Every stored task can be served, so no later filter can under-fill a batch.
    if len(prompt.token_ids) > parts.config.prompt.max_tokens:
        return Rejected(proposal=proposal, reason=Reason.TOO_LONG, fuel=fuel)
    return Valid(proposal=proposal, task=task, fuel=fuel, prompt=prompt)
