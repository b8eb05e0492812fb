"""The report's charts as data, in sections. The page's script draws them.

A series names a column of the run's metrics or of its curriculum; `{kind}` stands for every kind that the run has.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["share", "number", "tokens", "seconds", "bytes", "signed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart, or one for each kind where runs are compared."""

    id: str
    title: str
    note: str
    unit: Unit = "number"
    table: Literal["metrics", "curriculum"] = "metrics"
    kind: Literal["lines", "band", "stack"] = "lines"
    keys: tuple[str, ...] = ()
    """Lines: one a key; a `*` in it stands for one part of a name. Band: low, middle, high. Stack: from the bottom up;
    a key may end in `*`."""
    labels: tuple[str, ...] = ()
    """Labels of the keys, where `{kind}` does not name them."""
    top: float | None = None
    """Upper end of the axis, if fixed."""
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A group of charts."""

    id: str
    title: str
    note: str
    charts: tuple[Chart, ...]


def layout() -> list[dict[str, Any]]:
    """All sections, as plain data."""
    return [asdict(section) for section in SECTIONS]


SECTIONS = (
    Section(
        id="learning",
        title="Is it learning?",
        note="Held-out tasks are the ground truth: a proposer that makes easier tasks raises the training reward, too.",
        charts=(
            Chart(
                id="probe",
                title="Held-out tasks solved",
                unit="share",
                top=1,
                keys=("probe/solve/{kind}/sampled",),
                note="Mean score of sampled answers to tasks never trained on.",
            ),
            Chart(
                id="passed",
                title="Held-out pass@k",
                unit="share",
                top=1,
                keys=("probe/solve/{kind}/passed",),
                note="Share solved by at least one sample. Falls behind the mean when reach narrows.",
            ),
            Chart(
                id="grounded",
                title="Grounded tasks solved",
                unit="share",
                top=1,
                keys=("probe/grounded/solve/{kind}/sampled",),
                note="Tasks that people wrote: a score on the own curriculum should not leave these behind.",
            ),
            Chart(
                id="score",
                title="Solver score",
                unit="share",
                top=1,
                keys=("solve/solve/{kind}/score",),
                note="Mean correctness of answers in training.",
            ),
            Chart(
                id="solver-reward",
                title="Solver reward",
                unit="signed",
                keys=("update/solve/{kind}/reward",),
                note="Score, less what a wrong form costs.",
            ),
            Chart(
                id="proposer-reward",
                title="Proposer reward",
                unit="signed",
                keys=("update/propose/{kind}/reward",),
                note="Learnability of valid proposals; what is invalid earns less.",
            ),
            Chart(
                id="formatted",
                title="Well-formed answers",
                unit="share",
                top=1,
                keys=("solve/solve/{kind}/formatted",),
                note="Share of answers in the form that was asked for.",
            ),
        ),
    ),
    Section(
        id="difficulty",
        title="How hard are the new tasks?",
        note="The solve rate of every new task, by its trials. What is never or always solved teaches nothing;"
        " the band between is what self-play lives on.",
        charts=(
            Chart(
                id="band",
                title="Solve-rate band",
                unit="share",
                top=1,
                table="curriculum",
                kind="stack",
                keys=tuple(f"{{kind}}/rate/{name}" for name in ("unsolved", "hard", "middle", "easy", "solved")),
                labels=("never solved", "up to 1/3", "up to 2/3", "below 1", "always solved"),
                note="Share of new tasks by how often the current policy solves them.",
            ),
            Chart(
                id="solve-rate",
                title="Solve rate of new tasks",
                unit="share",
                top=1,
                keys=("solve/propose/{kind}/solve_rate",),
                note="Mean over a step's valid proposals.",
            ),
            Chart(
                id="learnable",
                title="Learnable tasks",
                unit="share",
                top=1,
                keys=("solve/propose/{kind}/learnable_share",),
                note="Share solved sometimes, but not always.",
            ),
        ),
    ),
    Section(
        id="climb",
        title="Does the curriculum climb?",
        note="Self-play that grows makes ever larger tasks at a solve rate that stays in the middle, and solves more of"
        " what it never saw. A solve rate that rises while sizes stand still is a model that repeats what it can do.",
        charts=(
            Chart(
                id="operations",
                title="Operations of new tasks",
                table="curriculum",
                kind="band",
                keys=("{kind}/operations/low", "{kind}/operations/middle", "{kind}/operations/high"),
                note="Calls, arithmetic, comparisons, subscripts; from the 10th to the 90th percentile.",
            ),
            Chart(
                id="mean-operations",
                title="Mean operations",
                keys=("validate/propose/{kind}/operations",),
                note="Of a step's valid proposals.",
            ),
            Chart(
                id="fuel",
                title="Fuel of proposals",
                keys=("validate/propose/{kind}/fuel",),
                log=True,
                note="What it takes to run one.",
            ),
            Chart(
                id="reach",
                title="Reach: pass@32 by stratum",
                unit="share",
                top=1,
                keys=("probe/reach/*/pass_at_32",),
                note="Held-out tasks of each size or tag. What is out of reach at the start shows here if it comes in.",
            ),
            Chart(
                id="reach-once",
                title="Reach: pass@1 by stratum",
                unit="share",
                top=1,
                keys=("probe/reach/*/pass_at_1",),
                note="The same tasks, by one answer.",
            ),
        ),
    ),
    Section(
        id="proposals",
        title="What becomes of proposals?",
        note="Every proposal is counted as valid or under exactly one reason.",
        charts=(
            Chart(
                id="valid",
                title="Valid proposals",
                unit="share",
                top=1,
                keys=("validate/propose/{kind}/valid_rate",),
                note="Share that the sandbox ran, twice, with one result.",
            ),
            Chart(
                id="rejected",
                title="Refused, by reason",
                kind="stack",
                keys=("validate/propose/{kind}/rejected/*",),
                note="Proposals a step.",
            ),
            Chart(
                id="duplicates",
                title="Duplicates",
                unit="share",
                keys=("validate/propose/{kind}/duplicate_share",),
                note="Share of runnable proposals that the buffer had already.",
            ),
            Chart(
                id="stored",
                title="Tasks in use",
                keys=("buffer/{kind}/stored",),
                note="Tasks that can be drawn.",
            ),
            Chart(
                id="answers",
                title="Answers, by verdict",
                kind="stack",
                keys=("solve/solve/{kind}/reason/*",),
                note="Answers a step.",
            ),
        ),
    ),
    Section(
        id="length",
        title="How long are the texts?",
        note="Tokens of completions. In the paper abduction grew fastest; growth at the limit is a warning.",
        charts=(
            Chart(
                id="solve-length",
                title="Answers",
                unit="tokens",
                keys=("update/solve/{kind}/length",),
                note="Mean tokens of an answer.",
            ),
            Chart(
                id="propose-length",
                title="Proposals",
                unit="tokens",
                keys=("update/propose/{kind}/length",),
                note="Mean tokens of a proposal.",
            ),
            Chart(
                id="spread",
                title="Spread of answers",
                unit="tokens",
                kind="band",
                keys=tuple(f"update/solve/{{kind}}/lengths/{name}" for name in ("p10", "p50", "p90")),
                note="Tokens of the median answer; the band reaches from the 10th to the 90th percentile.",
            ),
            Chart(
                id="reflection",
                title="Answers that reflect",
                unit="share",
                keys=("update/solve/{kind}/reflection_share",),
                note="Share with words such as wait, or let me check.",
            ),
            Chart(
                id="solve-clipped",
                title="Answers cut at the limit",
                unit="share",
                keys=("update/solve/{kind}/truncated_share",),
                note="Share that did not end by itself.",
            ),
            Chart(
                id="propose-clipped",
                title="Proposals cut at the limit",
                unit="share",
                keys=("update/propose/{kind}/truncated_share",),
                note="Share that did not end by itself.",
            ),
        ),
    ),
    Section(
        id="programs",
        title="What are the programs like?",
        note="Read, never run: of a sample of stored programs. Bands reach from the 10th to the 90th percentile.",
        charts=(
            Chart(
                id="cyclomatic",
                title="Cyclomatic complexity",
                table="curriculum",
                kind="band",
                keys=("{kind}/cyclomatic/low", "{kind}/cyclomatic/middle", "{kind}/cyclomatic/high"),
                note="Independent paths through the most complex function.",
            ),
            Chart(
                id="volume",
                title="Halstead volume",
                table="curriculum",
                kind="band",
                keys=("{kind}/volume/low", "{kind}/volume/middle", "{kind}/volume/high"),
                note="Bits to write its operators and operands down.",
            ),
            Chart(
                id="nodes",
                title="Size of the syntax tree",
                table="curriculum",
                kind="band",
                keys=("{kind}/nodes/low", "{kind}/nodes/middle", "{kind}/nodes/high"),
                note="Nodes.",
            ),
            Chart(
                id="lines",
                title="Lines",
                table="curriculum",
                kind="band",
                keys=("{kind}/lines/low", "{kind}/lines/middle", "{kind}/lines/high"),
                note="Lines of a program.",
            ),
        ),
    ),
    Section(
        id="diversity",
        title="Do they stay different?",
        note="Programs that differ in names and constants only have one shape. Both curves fall when the proposer"
        " falls into a rut, often after hundreds of steps.",
        charts=(
            Chart(
                id="unlikeness",
                title="Unlikeness",
                unit="share",
                top=1,
                table="curriculum",
                keys=("{kind}/unlikeness",),
                note="Mean distance between the programs of one time, by their shapes.",
            ),
            Chart(
                id="shapes",
                title="New shapes",
                unit="share",
                top=1,
                table="curriculum",
                keys=("{kind}/new_shapes",),
                note="Share of sampled programs whose shape no earlier sample had.",
            ),
            Chart(
                id="similarity",
                title="Nearest in memory",
                unit="share",
                top=1,
                keys=("buffer/{kind}/similarity",),
                note="Similarity of new programs to the most similar one in the whole memory.",
            ),
            Chart(
                id="clusters",
                title="Near copies",
                unit="share",
                keys=("buffer/{kind}/cluster_share",),
                note="Share of all stored programs that are near copies of a new one.",
            ),
            Chart(
                id="commented",
                title="Programs with comments",
                unit="share",
                top=1,
                table="curriculum",
                keys=("written/propose/commented", "written/solve/commented"),
                labels=("proposed", "answered"),
                note="Share of the programs that the model wrote.",
            ),
            Chart(
                id="stepwise",
                title="Step-by-step comments",
                unit="share",
                top=1,
                table="curriculum",
                keys=("written/propose/stepwise", "written/solve/stepwise"),
                labels=("proposed", "answered"),
                note="Share with comments that number, plan, observe, check or doubt.",
            ),
        ),
    ),
    Section(
        id="training",
        title="Is the training sound?",
        note="Entropy that falls to nothing, a growing gap between engine and trainer, or jumps of the gradient's norm"
        " come before a collapse.",
        charts=(
            Chart(
                id="solve-entropy",
                title="Entropy of answers",
                keys=("update/solve/{kind}/entropy",),
                note="Nats a token.",
            ),
            Chart(
                id="propose-entropy",
                title="Entropy of proposals",
                keys=("update/propose/{kind}/entropy",),
                note="Nats a token.",
            ),
            Chart(id="norm", title="Gradient norm", keys=("update/grad_norm",), note="Before clipping.", log=True),
            Chart(
                id="mismatch",
                title="Log-prob mismatch",
                keys=("update/mismatch_mean", "update/mismatch_max"),
                labels=("mean", "largest"),
                note="Between engine and trainer, of sampled tokens.",
                log=True,
            ),
            Chart(id="kl", title="KL to the start", unit="signed", keys=("update/kl",), note="Estimate a token."),
            Chart(
                id="findings",
                title="Findings of monitors",
                kind="stack",
                keys=("oversight/findings/*",),
                note="Of a step.",
            ),
            Chart(
                id="refusal",
                title="Requests declined",
                unit="share",
                top=1,
                keys=("oversight/refusal_rate",),
                note="By the refusal probe: erosion shows as a fall.",
            ),
            Chart(
                id="clip",
                title="Clipped tokens",
                unit="share",
                keys=("update/clip_share",),
                note="Share of tokens that the loss clipped.",
            ),
        ),
    ),
    Section(
        id="cost",
        title="What does it cost?",
        note="A step that takes ever longer, or memory that only grows, ends a long run.",
        charts=(
            Chart(
                id="seconds",
                title="Seconds a step",
                unit="seconds",
                kind="stack",
                keys=("seconds/*",),
                note="By phase.",
            ),
            Chart(
                id="sampled",
                title="Sampled tokens",
                unit="tokens",
                kind="stack",
                keys=("tokens/*",),
                note="Of a step, by purpose.",
            ),
            Chart(id="tokens", title="Trained tokens", unit="tokens", keys=("update/tokens",), note="Of a step."),
            Chart(
                id="memory",
                title="Memory",
                unit="bytes",
                keys=("memory/resident_bytes", "memory/peak_bytes"),
                labels=("now", "peak"),
                note="Of the process.",
            ),
            Chart(
                id="gpu",
                title="GPU memory",
                unit="bytes",
                keys=("memory/gpu_bytes", "memory/gpu_peak_bytes"),
                labels=("now", "peak"),
                note="As torch allocates it.",
            ),
        ),
    ),
)
