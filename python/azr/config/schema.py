"""Every option, its default and its bounds.

The defaults of the algorithm and its sizes are those that gave the published results (algorithm switches of the
reference's `paper` branch), its bugs aside; `default.toml` of the package holds what differs for the embedded model
on a CPU.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from azr.config.base import Count, Fraction, KindName, NonNegative, Positive, Section
from azr.config.domain import PYTHON
from azr.config.oversight import OversightConfig
from azr.config.scale import RanksConfig
from azr.types import Kind

BANNED_IMPORTS = (
    "logging random multiprocessing pebble subprocess threading datetime time hashlib hmac bcrypt os.sys os.path"
    " sys.exit os.environ calendar"
)


class LoraConfig(Section):
    """A low-rank adapter that is trained in place of the weights, for small GPUs; the package peft."""

    rank: Count = 0
    """0: none, all weights are trained."""
    alpha: Positive = 32
    """The adapter's product counts alpha / rank. It has no dropout: what is trained is what sampled."""
    targets: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    )  # fmt: skip
    """Names of the layers that it is added to."""
    base: Literal["whole", "4bit"] = "whole"
    """`4bit`: the frozen weights are held as NF4 (QLoRA); the package bitsandbytes."""


class ModelConfig(Section):
    """What is trained, and on what."""

    name: str = "embedded"
    """`embedded`, a folder, or a Hugging Face name of a causal language model."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of the weights, and so of the optimizer's state."""
    compute: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16`: the trainer's matrix products run in it, the weights stay as they are."""
    device: str = "auto"
    gradient_checkpointing: bool = False
    threads: Count = 0
    """Of torch on a CPU; 0: as torch chooses."""
    lora: LoraConfig = LoraConfig()

    @property
    def adapted(self) -> bool:
        """Whether an adapter is trained in place of the weights."""
        return self.lora.rank > 0


class PromptConfig(Section):
    """How tasks are put into words."""

    template: Literal["auto", "think", "chat", "terse"] = "auto"
    """`think`: the paper's think/answer text; `chat`: the tokenizer's chat template; `terse`: the embedded model's."""
    max_tokens: Positive = 6144
    """Longer prompts are never sampled from: propose prompts show fewer references, tasks are not served."""


class SamplingConfig(Section):
    """How completions are drawn, in training and for solve rates alike."""

    temperature: NonNegative = 1.0
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    top_k: Count = 0
    """0: off."""
    max_tokens: Positive = 8096


class CompositeConfig(Section):
    """Propose prompts that order the model to call earlier programs; off in the paper's runs.

    In the terse template a prompt ends with the lines of one earlier program, and the model goes on from its result.
    """

    chance: Fraction = 0.5
    at_least: Positive = 1
    at_most: Count = 0
    """0: off. The number is uniform in [at_least, at_most]."""
    start_step: Count = 1
    solved: Fraction = 0.5
    """Terse template: least solve rate, as last measured, of a program that is built on."""
    candidates: Positive = 1
    """Terse template: of so many such programs, drawn at random, the one with most operations is built on."""
    schedule: bool = False
    """From step 101, every 50 steps: one more composite (to 3) and chance + 0.01 (to 0.8)."""


class TasksConfig(Section):
    """Which tasks there are, and which programs are allowed."""

    kinds: tuple[KindName, ...] = (Kind.ABDUCTION, Kind.DEDUCTION, Kind.INDUCTION)
    """A domain's are called `<domain>.<kind>`. With `domains` and without this key: all kinds of every domain."""
    inputs: Annotated[int, Field(ge=2)] = 10
    """Of an induction task: the first half is shown, the rest is hidden."""
    several_definitions: bool = True
    """False: a program with a second `def`, nested or not, is rejected, as in the published Qwen2.5 runs."""
    banned_imports: tuple[str, ...] = tuple(BANNED_IMPORTS.split())
    """Dotted names; a ban covers what lies below it."""
    allowed_imports: tuple[str, ...] = ()
    """If not empty, nothing else may be imported."""
    comparison: Literal["strict", "python"] = "strict"
    """`python`: 1 == 1.0 == True, as in the reference."""
    induction_score: Literal["binary", "accuracy", "any"] = "binary"
    max_program_chars: Positive = 16_384
    composite: CompositeConfig = CompositeConfig()

    @model_validator(mode="after")
    def _kinds(self) -> "TasksConfig":
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            raise ValueError("kinds: at least one, each once")
        return self


class SandboxConfig(Section):
    """Limits of one program; 0: the sandbox's own default."""

    fuel: Count = 25_000_000_000
    """About a second of a program: what a model learns from is short, and a batch waits for its longest."""
    memory_bytes: Count = 0
    output_bytes: Count = 0
    value_bytes: Count = 0
    threads: Count = 0
    guest: str = ""
    """Path of a guest of your own."""


class BufferConfig(Section):
    """The memory of tasks."""

    cap: Count = 16_384
    """Tasks of a kind that can be sampled; 0: no bound."""
    eviction: Literal["newest", "reservoir", "none"] = "newest"
    deduplicate: Literal["exact", "canonical", "behaviour"] = "canonical"
    serve: Literal["all", "non_one", "non_extremes"] = "all"
    """By the solve rate p that was measured when the task was made: all, p < 1, or 0 < p < 1."""


class ProposeConfig(Section):
    """Stage 1."""

    batch: Positive = 64
    """Prompts of each kind in a step."""
    references: Count = 6
    """Tasks shown to the proposer; 0: the ablation without references."""
    reference_sampling: Literal["uniform", "step"] = "uniform"
    """`step`: in proportion to the step that made the task, plus one."""
    train: bool = True
    """False: proposals fill the buffer, but are not trained on."""
    start_step: Positive = 1
    """Before it the model only solves."""


class SolveConfig(Section):
    """Stage 4."""

    batch: Positive = 64
    """Tasks of each kind in a step."""
    answers: Positive = 1
    """Answers to each task, all trained on; more than one for group baselines."""
    mix: Literal["max_new", "half_new", "uniform", "step", "edge"] = "max_new"
    """`edge`: any stored task in proportion to 4p(1 - p) / (times served + 1), and `unsolved` of them with p = 0; p is
    measured anew each time that a task is served."""
    unsolved: Fraction = 0.25
    """Share of `edge` that nobody solved when it was last tried."""
    window: Positive = 1
    """How many steps count as new."""
    lag: bool = True
    """True: tasks are drawn before this step's proposals enter the buffer, as in the reference's code."""
    trials: Positive = 8
    """Attempts of the current policy at each new task, which measure its solve rate."""
    retries: Count = 0
    """How many times a new task that no trial solved gets as many trials again."""
    train_on_trials: bool = False
    """True: trials are trained on as well."""


class TermConfig(Section):
    """An extra term of the proposer's reward: min(coefficient x value, maximum)."""

    name: str
    coefficient: float = 1.0
    maximum: float = 1.0


class ProposerRewardConfig(Section):
    """What a proposal earns."""

    name: str = "azr"
    """azr, inverse, learnability, rzero, random, format_only, or `module:function`."""
    extremes: float = -0.5
    """For tasks that nobody or everybody solves: -0.5 as in the published runs, 0 as in the paper's text."""
    invalid: float = -1.0
    duplicates: Literal["pay", "reject"] = "pay"
    """`reject`: a proposal that the buffer already has earns `invalid`."""
    terms: tuple[TermConfig, ...] = ()
    """complexity, edit_distance, halstead, answer_diversity, cluster_share, novelty, quality (of the domain), or
    `module:function`."""
    combine: Literal["sum", "multiply", "sum_multiply", "multiply_sum"] = "sum"


class SolverRewardConfig(Section):
    """What an answer earns."""

    name: str = "conditional"
    """conditional (-1, -0.5, 1), addition, multiply, random, format_only, or `module:function`."""


class RewardConfig(Section):
    """Stage 5."""

    proposer: ProposerRewardConfig = ProposerRewardConfig()
    solver: SolverRewardConfig = SolverRewardConfig()


class OptimConfig(Section):
    """AdamW."""

    lr: Annotated[float, Field(gt=0.0)] = 1e-6
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: Count = 0
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0.0)] = 1e-8
    weight_decay: NonNegative = 0.01
    clip_norm: NonNegative = 1.0
    """0: off."""


class LossConfig(Section):
    """The policy loss and what is added to it."""

    name: str = "ppo"
    """ppo, dual_clip, cispo, gspo, reinforce, or `module:function`."""
    clip_low: NonNegative = 0.2
    clip_high: NonNegative = 0.2
    """0.28 is clip-higher; CISPO wants about 4, GSPO 3e-4 and 4e-4."""
    dual_clip: Annotated[float, Field(gt=1.0)] = 3.0
    entropy: float = 0.001
    kl: NonNegative = 0.0
    """Weight of the KL to the starting weights (k3 estimate); above 0 a frozen copy of the model is kept, or with
    `model.lora` its base is read without the adapter."""
    follow: Fraction = 0.0
    """Share of the way to the current weights that those which the KL is taken to move in each step; 0: they stay."""
    aggregation: Literal["paper", "token_mean", "sequence_mean", "constant"] = "paper"
    """`paper`: token mean inside each 16 sequences of one role and kind, then mean; see `trainer/aggregation.py`."""


class MismatchConfig(Section):
    """What is done where engine and trainer give a sampled token other probabilities; w = p(trainer) / p(engine)."""

    name: str = "none"
    """none, tis (min(w, high)), icepop (w inside [low, high], else 0), sequence (the product of a completion's w up to
    high, else 0), geometric (completions whose geometric mean of w is inside [low, high]), or `module:function`."""
    low: NonNegative = 0.5
    high: Annotated[float, Field(gt=0.0)] = 2.0
    """`geometric` wants 0.99 and 1.01."""

    @model_validator(mode="after")
    def _ordered(self) -> "MismatchConfig":
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        return self


class TrainConfig(Section):
    """Stage 6."""

    advantage: str = "trr_token"
    """trr_token, trr_sequence, hierarchical, grpo, dr_grpo, rloo, maxrl, pass_at_k, reinforce_half, or
    `module:function`."""
    k: Positive = 4
    """Of `pass_at_k` at the first step; it falls to 1 by the last."""
    loss: LossConfig = LossConfig()
    mismatch: MismatchConfig = MismatchConfig()
    optim: OptimConfig = OptimConfig()
    updates: Positive = 1
    """Optimizer steps on one batch; 1 is fully on policy."""
    reset_every: Count = 0
    """After every so many steps the optimizer forgets its moments, and the KL is to the weights of then; 0: never."""
    micro_batch_tokens: Positive = 16_384
    """Tokens of one forward pass; changes speed and memory, never the gradient beyond rounding."""
    old_log_probs: Literal["recompute", "engine"] = "recompute"
    """`recompute` costs no pass where `updates` is 1: the current weights are the old ones."""
    attention: Literal["auto", "padded"] = "auto"
    """`auto`: on a GPU torch's flex attention, which sees no padding and is compiled when it is first used; on a CPU,
    and with `padded` everywhere, padded grids of the prompts and of the completions."""
    compile: bool = True
    """On a GPU, where the engine is another process (vLLM): the layers are compiled when they are first used, which
    takes half a minute and makes each update faster."""
    full_precision_head: bool = False
    """The head's product in float32 where the rest computes in bfloat16."""


class SeedConfig(Section):
    """What the buffers hold before step 1."""

    path: str = ""
    """A file that `azr seed` saved; empty: the model makes its seeds from the identity program."""
    factor: Positive = 4
    """Seeds of each kind: factor x propose.batch."""
    max_passes: Positive = 200
    """Passes without end would hang a model that proposes nothing valid."""


class EvalConfig(Section):
    """The held-out probe."""

    every: Count = 10
    """Steps; 0: only before and after."""
    tasks: str = ""
    """JSONL of held-out tasks; empty: the package's own for the embedded model, no probe for others."""
    limit: Count = 0
    """Tasks of each kind in the probe during training; 0: all."""
    grounded: str = ""
    """JSONL of tasks that people wrote, as a guard against reward drift; empty: the package's own; `none`: no probe."""
    samples: Positive = 8
    batch: Positive = 256
    reach: str = ""
    """JSONL of tasks in strata, whose pass@1, 8 and 32 show how far the model reaches; empty: none; `own`: the
    package's for the embedded model. Measured before the first step and after the last."""
    reach_samples: Positive = 32
    reach_limit: Count = 0
    """Tasks of each kind and stratum; 0: all."""
    decline: Literal["go_on", "back", "stop"] = "go_on"
    """What a run does when the held-out score is `fall` below its best. `back`: put the best weights back and go on at
    half the rate. `stop`: put them back and end. Both end with the best weights, and keep their checkpoint."""
    best_by: Literal["sampled", "greedy", "passed"] = "sampled"
    """The score that `decline` looks at."""
    fall: Fraction = 0.01
    strata: str = "length"
    """The tag of the tasks' lines that names their stratum, or `operations`: by the size of their programs."""


class RunConfig(Section):
    """The run folder."""

    folder: str = ""
    """Empty: runs/<date>-<model>."""
    steps: Positive = 500
    save_every: Positive = 10
    keep_last: Positive = 2
    keep_every: Count = 0
    """Checkpoints of every so many steps are kept for good; 0: none."""
    trace_rate: Fraction = 1.0
    """Share of the completions written to the trace; those that a monitor flagged always are."""


class VllmConfig(Section):
    """The vLLM engine: `engine.name = "vllm"`."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of its weights; `auto`: as `model.compute`."""
    head_float32: bool = False
    """Logits by a product in float32 whatever the weights are: less mismatch with the trainer."""
    memory: Annotated[float, Field(gt=0.0, le=1.0)] = 0.4
    """Share of a GPU's memory for weights and cache."""
    cache_gib: Positive = 1
    """On a CPU: memory of the cache."""
    sleep: bool = False
    """Where trainer and engine share a GPU: give the memory back while the trainer works."""
    tensor_parallel: Positive = 1
    """GPUs of one engine. In a run of several ranks, so many neighbours on one machine share one, on their GPUs."""
    threads: Count = 0
    """Of its process on a CPU; 0: as torch chooses."""
    repeatable: bool = True
    """A seed for every request; False is faster on a GPU, and no two runs sample alike."""
    sync_tolerance: Annotated[float, Field(gt=0.0)] = 0.05
    """Largest mean |log p(engine) - log p(trainer)| on fixed tokens after the engine loaded new weights. Past it the
    run stops. Equal weights give about 1e-6 in float32, and about 1e-2 where the engine computes in bfloat16."""
    start_seconds: Annotated[float, Field(gt=0.0)] = 900.0
    """Longest start of its process."""
    stuck_seconds: Annotated[float, Field(gt=0.0)] = 300.0
    """A process that is at work and gives no sign of life for so long is started again."""
    restarts: Count = 2
    """How often, without any completion in between, before the run ends with an error."""
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """More of vLLM's own engine arguments, by their names."""


class EngineConfig(Section):
    """Where completions come from."""

    name: str = "transformers"
    """transformers, vllm, scripted, or `module:function` of (tokenizer, config) that builds one."""
    batch: Positive = 256
    """Sequences sampled together."""
    ahead: Annotated[int, Field(ge=0, le=1)] = 0
    """1: the next step is sampled while the trainer updates on this one, under weights that miss one update. Only for
    engines with weights of their own."""
    script: str = ""
    """For `scripted`: a `module:function` (or `file.py:function`) from prompt to completion text."""
    vllm: VllmConfig = VllmConfig()


class DomainConfig(Section):
    """One domain of the run's mixture."""

    path: str = ""
    """Folder with a domain.toml, relative to the config's file."""
    name: str = ""
    """Without `path`: of an installed domain (entry point group `azr.domains`), or `python` for plain Python."""
    weight: NonNegative = 1.0
    """Its share of each step's proposals and answers, relative to the others'; 0: only probed, never trained on."""
    fingerprint: str = ""
    """Of the domain's files. A run's own config has it, so that it never goes on with others."""

    @model_validator(mode="after")
    def _named(self) -> "DomainConfig":
        if not self.path and not self.name:
            raise ValueError("a domain needs a path or a name")
        return self

    @property
    def plain(self) -> bool:
        return self.name == PYTHON and not self.path


class Config(Section):
    """A whole run."""

    seed: Count = 0
    model: ModelConfig = ModelConfig()
    prompt: PromptConfig = PromptConfig()
    engine: EngineConfig = EngineConfig()
    sampling: SamplingConfig = SamplingConfig()
    tasks: TasksConfig = TasksConfig()
    domains: tuple[DomainConfig, ...] = ()
    """What else to learn than plain Python; with any, plain Python only if `python` is among them."""
    sandbox: SandboxConfig = SandboxConfig()
    buffer: BufferConfig = BufferConfig()
    propose: ProposeConfig = ProposeConfig()
    solve: SolveConfig = SolveConfig()
    reward: RewardConfig = RewardConfig()
    train: TrainConfig = TrainConfig()
    seeding: SeedConfig = SeedConfig()
    evals: EvalConfig = EvalConfig()
    oversight: OversightConfig = OversightConfig()
    run: RunConfig = RunConfig()
    ranks: RanksConfig = RanksConfig()
