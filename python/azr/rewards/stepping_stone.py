"""For proposals that aim at an unsolved task (as in SGS, arXiv 2604.20209): `p x relevance x brevity`.

Relevance: the share of the unsolved program's lines that the proposal begins with. Brevity: the share of its operations
that the proposal does without. An easier task on the way pays, the unsolved task itself does not. A proposal that aims
at nothing is paid by `learnability`.
"""

from azr.rewards import learnability
from azr.rewards.base import ProposalFacts
from azr.tasks import source


def reward(facts: ProposalFacts) -> float:
    """`p x relevance x brevity`, or `4 p (1 - p)`."""
    if facts.target is None:
        return learnability.reward(facts)
    return facts.solve_rate * _relevance(facts.task.program, facts.target.program) * _brevity(facts)


def _relevance(program: str, target: str) -> float:
    lines, wanted = program.splitlines(), target.splitlines()
    shared = 0
    while shared < min(len(lines), len(wanted)) and lines[shared] == wanted[shared]:
        shared += 1
    return shared / len(wanted)


def _brevity(facts: ProposalFacts) -> float:
    assert facts.target is not None, "asked of proposals that aim at something"
    own, full = source.size(facts.task.program), source.size(facts.target.program)
    return max(0.0, 1.0 - own / full) if full else 0.0
