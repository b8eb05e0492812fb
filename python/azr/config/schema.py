"""Every option, its default and its bounds.

The defaults are those of the published results (the paper's code, branch `paper`), without its bugs. The package's
`default.toml` holds what differs for the embedded model on a CPU.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from azr.config.base import Count, Fraction, KindName, NonNegative, Positive, Section
from azr.config.domain import PYTHON
from azr.config.oversight import OversightConfig
from azr.config.scale import RanksConfig
from azr.types import Kind, Role

BANNED_IMPORTS = (
    "logging random multiprocessing pebble subprocess threading datetime time hashlib hmac bcrypt os.sys os.path"
    " sys.exit os.environ calendar"
)


class LoraConfig(Section):
    """A low-rank adapter that is trained instead of the weights, for small GPUs. Needs the package peft."""

    rank: Count = 0
    """0: no adapter, all weights are trained."""
    alpha: Positive = 32
    """The adapter's product is scaled by alpha / rank. There is no dropout, so that the trained policy is the one that
    sampled."""
    targets: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    )  # fmt: skip
    """Names of the layers that get an adapter."""
    base: Literal["whole", "4bit"] = "whole"
    """`4bit`: the frozen weights are NF4 (QLoRA). Needs the package bitsandbytes."""


class ModelConfig(Section):
    """The model and how it is computed."""

    name: str = "embedded"
    """`embedded`, `embedded-steps` (writes every step down), a folder, or a Hugging Face name of a causal model."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Type of the weights, and so of the optimizer state."""
    compute: Literal["float32", "bfloat16"] = "float32"
    """`bfloat16`: matrix products use it, the trainer's and on a CPU the engine's; the weights keep their type."""
    device: str = "auto"
    """A device of torch, such as `cpu` or `cuda:1`; `auto`: a GPU if there is one, each rank its own."""
    gradient_checkpointing: bool = False
    """True: layers compute their activations again in the backward pass: less memory, more time."""
    threads: Count = 0
    """Torch threads on a CPU; 0: torch's default."""
    lora: LoraConfig = LoraConfig()

    @property
    def adapted(self) -> bool:
        """Whether an adapter is trained instead of the weights."""
        return self.lora.rank > 0


class PromptConfig(Section):
    """The wording of prompts."""

    template: Literal["auto", "think", "chat", "terse"] = "auto"
    """`think`: the paper's think/answer text; `chat`: the tokenizer's chat template; `terse`: the embedded model's."""
    words: Literal["full", "short"] = "full"
    """`short`: a fifth of the tokens, for small models; not for `terse`, which has no words."""
    opening: bool = False
    """True: prompts end with the beginning of the answer, its tag and first fence, so that there are no thoughts. For
    models that do not keep to the form; not for `terse`."""
    examples: Count = 0
    """Worked examples before what is asked: verified tasks of azr's own grammar with their answers, never the one
    asked. The same in all prompts of a kind and role; not for `terse`."""
    max_tokens: Positive = 6144
    """Longer prompts are never sampled from: propose prompts get fewer references, solve tasks are not served."""


class RoleSampling(Section):
    """One role's sampling, where it differs from `[sampling]`."""

    temperature: Annotated[float, Field(ge=-1.0)] = -1.0
    """Logits are divided by it; 0: greedy; -1: as in `[sampling]`."""
    max_tokens: Count = 0
    """Tokens after which a completion is cut; 0: as in `[sampling]`."""

    @model_validator(mode="after")
    def _known(self) -> "RoleSampling":
        if -1.0 < self.temperature < 0.0:
            raise ValueError(f"temperature = {self.temperature} must be at least 0, or -1")
        return self


class SamplingConfig(Section):
    """Sampling of completions, for training and for solve rates alike."""

    temperature: NonNegative = 1.0
    """Logits are divided by it; 0: greedy."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    """Only the most probable tokens that together reach this probability are sampled; 1: all."""
    top_k: Count = 0
    """Only this many of the most probable tokens are sampled; 0: all."""
    max_tokens: Positive = 8096
    """Tokens after which a completion is cut."""
    propose: RoleSampling = RoleSampling()
    solve: RoleSampling = RoleSampling()

    def of(self, role: Role) -> "SamplingConfig":
        """The settings of a role."""
        own = self.propose if role is Role.PROPOSE else self.solve
        return SamplingConfig(
            temperature=self.temperature if own.temperature < 0.0 else own.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=own.max_tokens or self.max_tokens,
        )

    @property
    def longest(self) -> int:
        """Tokens of the longest completion of any role."""
        return max(self.of(role).max_tokens for role in Role)


class WarmupConfig(Section):
    """`azr warmup`: fine-tuning on the form of tasks and answers, before self-play."""

    rounds: Positive = 20
    """It ends after so many, or after the first round with `enough`."""
    examples: Positive = 512
    """Verified examples of a round; none is shown twice."""
    batch: Positive = 16
    """Examples of one optimizer step."""
    lr: Annotated[float, Field(gt=0.0)] = 5e-5
    """Learning rate, reached after ten optimizer steps. For all weights; an adapter wants about ten times as much."""
    enough: Fraction = 0.6
    """Least share of sampled proposals that are valid, and of sampled answers that can be read: in the mean of kinds,
    and half as much in every kind."""
    samples: Positive = 32
    """Proposals and answers of each kind that are sampled after each round; the answers are to held-out tasks."""


class CompositeConfig(Section):
    """Propose prompts that tell the model to call earlier programs; off in the paper's runs.

    In the terse template a prompt ends with the lines of one earlier program, and the model goes on from its result.
    """

    chance: Fraction = 0.5
    """Share of the propose prompts that have earlier programs to call."""
    at_most: Count = 0
    """Most earlier programs of one prompt; their number is uniform in [1, at_most]. 0: off."""
    solved: Fraction = 0.5
    """Terse template: least solve rate, as last measured, of a program to build on."""
    easiest: Fraction = 1.0
    """Terse template: largest solve rate. Below 1 it leaves out programs whose result no input changes, on which ever
    longer ones would be built."""
    candidates: Positive = 1
    """Terse template: number of such programs drawn at random; the one with the most operations is built on."""
    aimed: Fraction = 0.0
    """Terse template: share of these that go on from the first half of a program that nobody solves instead: easier
    tasks on the way to it."""


class TasksConfig(Section):
    """Kinds of task, and the programs that are allowed."""

    kinds: tuple[KindName, ...] = (Kind.ABDUCTION, Kind.DEDUCTION, Kind.INDUCTION)
    """A domain's kinds are named `<domain>.<kind>`. With `domains` and without this key: all kinds of every domain."""
    inputs: Annotated[int, Field(ge=2)] = 10
    """Inputs of an induction task: the first half is shown, the rest is hidden."""
    several_definitions: bool = True
    """False: a program with a second `def`, nested or not, is rejected, as in the published Qwen2.5 runs."""
    banned_imports: tuple[str, ...] = tuple(BANNED_IMPORTS.split())
    """Dotted names; a ban covers submodules."""
    allowed_imports: tuple[str, ...] = ()
    """If not empty, nothing else may be imported."""
    comparison: Literal["strict", "python"] = "strict"
    """`python`: 1 == 1.0 == True, as in the paper's code."""
    induction_score: Literal["binary", "accuracy", "any"] = "binary"
    """Score of a program by the hidden inputs on which it is right: 1 for all of them and else 0, their share, or 1 for
    at least one."""
    max_program_chars: Positive = 16_384
    """Characters of a proposed program; a longer one is rejected as `too_long`."""
    composite: CompositeConfig = CompositeConfig()

    @model_validator(mode="after")
    def _kinds(self) -> "TasksConfig":
        if not self.kinds or len(set(self.kinds)) != len(self.kinds):
            raise ValueError("kinds: at least one, each once")
        return self


class SandboxConfig(Section):
    """Limits of one program; 0: the sandbox's default."""

    fuel: Count = 25_000_000_000
    """Units of work, not of time; the default is about one second. Useful programs are short, and a batch waits for its
    slowest program."""
    memory_bytes: Count = 0
    """Bytes of the guest's memory."""
    threads: Count = 0
    """Programs that run at once; 0: one for each core."""
    guest: str = ""
    """Path of a guest that you built (`make guest`); empty: the package's."""


class BufferConfig(Section):
    """The task buffer."""

    cap: Count = 16_384
    """Tasks of a kind that can be sampled; 0: no limit."""
    eviction: Literal["newest", "reservoir", "none"] = "newest"
    """Which tasks can be sampled beyond `cap`: the newest, a uniform sample of all, or all."""
    deduplicate: Literal["exact", "canonical", "behaviour"] = "canonical"
    """Which tasks are equal: the same text, the same canonical form, or also the same behaviour on fixed inputs."""
    serve: Literal["all", "non_one", "non_extremes"] = "all"
    """Which tasks are served, by the solve rate p that was measured when the task was made: all, p < 1, or 0 < p <
    1."""


class ProposeConfig(Section):
    """Stage 1: proposals."""

    batch: Positive = 64
    """Prompts of each kind in a step."""
    references: Count = 6
    """Tasks shown to the proposer; 0: the ablation without references."""
    train: bool = True
    """False: proposals fill the buffer, but are not trained on."""


class SolveConfig(Section):
    """Stage 4: trials and answers."""

    batch: Positive = 64
    """Tasks of each kind in a step."""
    answers: Positive = 1
    """Answers to each task, all trained on; at least 2 for group baselines."""
    mix: Literal["max_new", "half_new", "uniform", "step", "edge"] = "max_new"
    """Which stored tasks the solver gets. `max_new`: as many new ones as there are, the rest uniform; `half_new`: at
    most half of them new; `uniform`; `step`: in proportion to the step that made it; `edge`: any in proportion to
    4p(1 - p) / (times served + 1), with a share `unsolved` of tasks with p = 0; p is updated each time a task is
    served."""
    unsolved: Fraction = 0.25
    """Share of `edge` with a last solve rate of 0."""
    lag: bool = True
    """True: tasks are drawn before this step's proposals enter the buffer, as in the paper's code."""
    trials: Positive = 8
    """Attempts of the current policy at each new task, which measure its solve rate."""
    retries: Count = 0
    """Extra rounds of trials for a new task that no trial solved."""
    train_on_trials: bool = False
    """True: trials are trained on as well."""


class TermConfig(Section):
    """An extra term of the proposer's reward: min(coefficient x value, maximum)."""

    name: str
    """A term of azr's, or `module:function`."""
    coefficient: float = 1.0
    """Factor of the term's value."""
    maximum: float = 1.0
    """Most that the term adds to the reward."""


class ProposerRewardConfig(Section):
    """Reward of a proposal."""

    name: str = "azr"
    """azr, inverse, learnability, rzero, stepping_stone (for `tasks.composite.aimed`), random, format_only, or
    `module:function`."""
    extremes: float = -0.5
    """For solve rates of exactly 0 or 1: -0.5 as in the published runs, 0 as in the paper's text."""
    invalid: float = -1.0
    """Reward of a rejected proposal."""
    duplicates: Literal["pay", "reject"] = "pay"
    """`reject`: a duplicate proposal earns `invalid`."""
    terms: tuple[TermConfig, ...] = ()
    """complexity, edit_distance, halstead, answer_diversity, cluster_share, novelty, quality (the domain's score), or
    `module:function`."""


class SolverRewardConfig(Section):
    """Reward of an answer."""

    name: str = "conditional"
    """conditional (-1, -0.5, 1), addition, multiply, random, format_only, or `module:function`."""


class RewardConfig(Section):
    """Stage 5: rewards."""

    proposer: ProposerRewardConfig = ProposerRewardConfig()
    solver: SolverRewardConfig = SolverRewardConfig()


class OptimConfig(Section):
    """AdamW."""

    lr: Annotated[float, Field(gt=0.0)] = 1e-6
    """Learning rate after `warmup_steps`."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Learning rate after the warm-up: constant, or falling to 0 at the last step."""
    warmup_steps: Count = 0
    """Steps in which the learning rate rises from 0."""
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    """Decay of the running means of the gradient and of its square, per step."""
    weight_decay: NonNegative = 0.01
    """Share of each weight, times the learning rate, that a step takes off."""
    clip_norm: NonNegative = 1.0
    """A larger norm of the whole gradient is scaled down to this; 0: off."""


class LossConfig(Section):
    """The policy loss and its extra terms."""

    name: str = "ppo"
    """ppo, dual_clip, cispo, gspo, reinforce, or `module:function`."""
    clip_low: NonNegative = 0.2
    """The ratio of probabilities (new to old) is clipped below 1 - clip_low."""
    clip_high: NonNegative = 0.2
    """The ratio is clipped above 1 + clip_high. 0.28 is clip-higher. CISPO needs about 4, GSPO 3e-4 and 4e-4."""
    dual_clip: Annotated[float, Field(gt=1.0)] = 3.0
    """`dual_clip`: the largest ratio that counts for a token with a negative advantage."""
    entropy: float = 0.001
    """Weight of the tokens' entropy, which the loss rewards; 0: off."""
    kl: NonNegative = 0.0
    """Weight of the KL to the starting weights (k3 estimate); above 0 a frozen copy of the model is kept, or with
    `model.lora` its base is read without the adapter."""
    follow: Fraction = 0.0
    """Share of the way to the current weights that the reference policy moves in each step; 0: it is fixed."""
    aggregation: Literal["paper", "token_mean", "sequence_mean", "constant"] = "paper"
    """`paper`: token mean over each 16 sequences of one role and kind, then the mean; see `trainer/aggregation.py`."""


class MismatchConfig(Section):
    """Train-inference mismatch correction, with w = p(trainer) / p(engine) of each sampled token."""

    name: str = "none"
    """none; tis: min(w, high); icepop: w inside [low, high], else 0; sequence: the product of a completion's w up to
    high, else 0; geometric: only completions whose geometric mean of w is inside [low, high]; or `module:function`."""
    low: NonNegative = 0.5
    """Lower bound of w, for `icepop` and `geometric` (0.99)."""
    high: Annotated[float, Field(gt=0.0)] = 2.0
    """Upper bound of w; `geometric` needs 1.01."""

    @model_validator(mode="after")
    def _ordered(self) -> "MismatchConfig":
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        return self


class SupervisedConfig(Section):
    """Supervised steps after each update: on tasks of the step and on chains of stored programs, with verified answers.

    An answer's thoughts are the values on the way to the program's result, as the sandbox traced them.
    """

    examples: Count = 0
    """Of each step; 0: no supervised steps."""
    operations: Positive = 8
    """Most operations of a chain of stored programs."""
    updates: Positive = 16
    """Optimizer steps on a step's examples."""
    lr: Annotated[float, Field(gt=0.0)] = 1e-3
    """Learning rate, with the warm-up of `train.optim`; its optimizer has its own moments."""
    schedule: Literal["constant", "linear", "cosine"] = "cosine"
    """After the warm-up: constant, or falling to 0 at the run's last step."""


class TrainConfig(Section):
    """Stage 6: the update."""

    advantage: str = "trr_token"
    """trr_token, trr_sequence, hierarchical, grpo, dr_grpo, rloo, maxrl, pass_at_k, reinforce_half, or
    `module:function`."""
    k: Positive = 4
    """k of `pass_at_k` at the first step; it falls linearly to 1 at the last."""
    loss: LossConfig = LossConfig()
    mismatch: MismatchConfig = MismatchConfig()
    optim: OptimConfig = OptimConfig()
    updates: Positive = 1
    """Optimizer steps on one batch; 1 is fully on policy."""
    reset_every: Count = 0
    """Every so many steps the optimizer's moments are reset, and the reference policy becomes the current one; 0:
    never."""
    replay: Count = 0
    """Right answers of earlier steps that each step learns again: to tasks that at most half of the attempts solved."""
    supervised: SupervisedConfig = SupervisedConfig()
    micro_batch_tokens: Positive = 16_384
    """Tokens of one forward pass. Changes speed and memory; the gradient only by rounding."""
    old_log_probs: Literal["recompute", "engine"] = "recompute"
    """`recompute`: free where `updates` is 1, since the current weights are the old ones."""
    attention: Literal["auto", "padded"] = "auto"
    """`auto`: on a GPU torch's flex attention without padding, compiled on first use; on a CPU padded grids of prompts
    and completions. `padded`: these grids everywhere."""
    compile: bool = True
    """Compile the layers on first use, on a GPU with vLLM as engine. Takes half a minute; each update is faster."""
    full_precision_head: bool = False
    """Compute the head's product in float32 where the rest is bfloat16."""


class SeedConfig(Section):
    """Seed tasks: what the buffers hold before step 1."""

    path: str = ""
    """A file from `azr seed`; empty: the model makes its seed tasks from the identity program."""
    factor: Positive = 4
    """Seed tasks of each kind: factor x propose.batch."""
    least_readable: Fraction = 0.1
    """The run stops after two passes if a smaller share of the model's proposals could be read; 0: it goes on."""


class EvalConfig(Section):
    """The held-out probe."""

    every: Count = 10
    """Steps between probes; 0: only before and after the run."""
    tasks: str = ""
    """JSONL of held-out tasks; empty: the package's own for the embedded model, none for others."""
    limit: Count = 0
    """Tasks of each kind in probes during training; 0: all."""
    grounded: str = ""
    """JSONL of tasks written by people, as a guard against reward drift; empty: the package's own; `none`: no probe."""
    samples: Positive = 8
    """Sampled answers to each held-out task, for the mean score and pass@k; a greedy one is added."""
    reach: str = ""
    """JSONL of tasks in strata, for pass@1, 8 and 32 by difficulty; empty: none; `own`: the package's, for the embedded
    model. Measured before the first step and after the last."""
    reach_samples: Positive = 32
    """Answers to each task of `reach`; pass@k is given for k up to this number."""
    decline: Literal["go_on", "back", "stop"] = "go_on"
    """What a run does when the held-out score is `fall` below its best. `back`: put the best weights back and go on at
    half the rate. `stop`: put them back and end. Both end with the best weights, and keep their checkpoint."""
    fall: Fraction = 0.01
    """Fall of the held-out score below its best, as a share of 1, at which `decline` acts."""
    strata: str = "length"
    """The tag in the tasks' lines that names their stratum, or `operations`: by program size."""


class RunConfig(Section):
    """The run folder."""

    folder: str = ""
    """Empty: runs/<date>-<model>."""
    steps: Positive = 500
    """Number of steps of the run."""
    save_every: Positive = 10
    """Steps between checkpoints; the last step has one always."""
    keep_last: Positive = 2
    """Newest checkpoints that are kept."""
    keep_every: Count = 0
    """Checkpoints at multiples of this step count are never pruned; 0: none."""
    trace_rate: Fraction = 1.0
    """Share of the completions in the trace; flagged ones are always in it."""


class VllmConfig(Section):
    """The vLLM engine: `engine.name = "vllm"`."""

    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Type of its weights; `auto`: as `model.compute`."""
    memory: Annotated[float, Field(gt=0.0, le=1.0)] = 0.4
    """Share of the GPU's memory for weights and cache."""
    cache_gib: Positive = 1
    """Memory of the cache on a CPU, in GiB."""
    sleep: bool = False
    """Free the GPU's memory while the trainer works, where both share a GPU."""
    tensor_parallel: Positive = 1
    """GPUs of one engine. With several ranks, this many neighbouring ranks of a machine share one engine on their
    GPUs."""
    threads: Count = 0
    """Threads of its process on a CPU; 0: torch's default."""
    repeatable: bool = True
    """A seed for each request. False is faster on a GPU, but no two runs sample alike."""
    sync_tolerance: Annotated[float, Field(gt=0.0)] = 0.05
    """Largest mean |log p(engine) - log p(trainer)| on fixed tokens after the engine loaded new weights. Past it the
    run stops. Equal weights give about 1e-6 in float32, and about 1e-2 where the engine computes in bfloat16."""
    start_seconds: Annotated[float, Field(gt=0.0)] = 900.0
    """Seconds that the start of its process may take."""
    stuck_seconds: Annotated[float, Field(gt=0.0)] = 300.0
    """Seconds that its process may work in silence before it is restarted."""
    restarts: Count = 2
    """Restarts without a completion in between, before the run ends with an error."""
    options: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Further engine arguments of vLLM, by their names."""


class EngineConfig(Section):
    """The rollout engine."""

    name: str = "transformers"
    """transformers, vllm, scripted, or `module:function` from (tokenizer, config) to an engine."""
    batch: Positive = 256
    """Sequences that are sampled together."""
    ahead: Annotated[int, Field(ge=0, le=1)] = 0
    """1: one-step off-policy rollouts. The next step is sampled while the trainer updates on this one. Only for engines
    with their own copy of the weights."""
    script: str = ""
    """For `scripted`: a `module:function` (or `file.py:function`) from prompt to completion text."""
    vllm: VllmConfig = VllmConfig()


class DomainConfig(Section):
    """One domain of the run's mixture."""

    path: str = ""
    """Folder with a domain.toml, relative to the config's file."""
    name: str = ""
    """Without `path`: an installed domain (entry point group `azr.domains`), or `python` for plain Python."""
    weight: NonNegative = 1.0
    """Share of each step's proposals and answers relative to other domains; 0: only probed, never trained on."""
    fingerprint: str = ""
    """Hash of the domain's files. A run's own config has it, so that the run never resumes with other files."""

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
    """Every random number of the run follows from it, the step and its place in the step."""
    model: ModelConfig = ModelConfig()
    prompt: PromptConfig = PromptConfig()
    warmup: WarmupConfig = WarmupConfig()
    engine: EngineConfig = EngineConfig()
    sampling: SamplingConfig = SamplingConfig()
    tasks: TasksConfig = TasksConfig()
    domains: tuple[DomainConfig, ...] = ()
    """Domains to learn. With any, plain Python is included only if `python` is among them."""
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
