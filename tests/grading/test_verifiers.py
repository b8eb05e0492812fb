"""The taskset and the environments in verifiers itself: episodes played against a local OpenAI-compatible server."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters import needs
from azr.cli import azr
from azr.collection.task_file import Row, TaskFile
from azr.errors import GradingError
from azr.grading import Grader
from azr.types import Kind, Task
from click.testing import CliRunner
from endpoint import MODEL, scripted, serving

needs("verifiers")

import verifiers.v1 as vf  # noqa: E402
from azr.grading.verifiers import AzrEnv, AzrTask, OneTurnHarness  # noqa: E402
from azr.selfplay.verifiers import SelfPlayEnv  # noqa: E402
from verifiers.v1.clients import EvalClientConfig  # noqa: E402
from verifiers.v1.utils.loaders import env_config_type  # noqa: E402

PACKAGES = Path(__file__).parents[2] / "environments"


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they were installed."""
    for name in ("azr_tasks", "azr_self_play"):
        monkeypatch.syspath_prepend(str(PACKAGES / name))


@pytest.fixture
def data_set(tmp_path: Path, tasks: list[Task]) -> Path:
    """The tasks as `azr export` writes them."""
    file = TaskFile(tmp_path / "tasks.jsonl")
    file.append(
        [
            Row(
                kind=task.kind, program=task.program, inputs=list(task.inputs), outputs=[], message=task.message,
                attempts=4, solve_rate=n / 3, step=1, model="m", azr="0",
            )
            for n, task in enumerate(tasks)
        ]
    )  # fmt: skip
    file.close()
    done = CliRunner().invoke(azr, ["export", str(file.path), str(tmp_path / "set")])
    assert done.exit_code == 0, done.output
    return tmp_path / "set"


def load(taskset: dict[str, Any], **more: Any) -> vf.Env:
    """The environment as verifiers and prime-rl load it, from a config."""
    return vf.load_environment(env_config_type(taskset["id"], "").model_validate({"taskset": taskset, **more}))


def play(env: vf.Env, url: str, count: int) -> list[vf.Episode]:
    """Episodes of the first `count` rows."""

    async def run() -> list[vf.Episode]:
        context = vf.ModelContext(model=MODEL, client=EvalClientConfig(base_url=url))
        async with env.serving():
            return [await env.run_episode(task, context) for task in env.taskset.take(count)]

    return asyncio.run(run())


def reply(right: dict[Kind, str], data: Path) -> Callable[[str, int], str]:
    """A model that answers every row's prompt right."""
    import pyarrow.parquet as parquet

    rows = parquet.read_table(data / "data" / "train.parquet").to_pylist()
    answers = {row["prompt"][0]["content"]: right[Kind(row["kind"])] for row in rows}
    return lambda text, seed: answers[text]


def test_verifiers_plays_the_taskset_and_pays_by_the_sandbox(data_set: Path, right: dict[Kind, str]) -> None:
    env = load({"id": "azr-tasks", "path": str(data_set)})
    assert isinstance(env, AzrEnv)
    with serving(reply(right, data_set)) as stub:
        episodes = play(env, stub.url, 4)
    assert len(stub.bodies) == 4
    with serving(lambda text, seed: "nothing") as stub:
        wrong = play(env, stub.url, 4)
    for found, reward, reason in ((episodes, 1.0, "correct"), (wrong, 0.0, "no_answer")):
        assert [episode.ok for episode in found] == [True] * 4, [episode.errors for episode in found]
        traces = [trace for episode in found for trace in episode.traces]
        assert [trace.reward for trace in traces] == [reward] * 4
        assert {trace.info["azr"] for trace in traces} == {reason}
        assert len({trace.task.key for trace in traces}) == 4


def test_the_taskset_chooses_by_kind_and_solve_rate(data_set: Path) -> None:
    def kinds(**more: Any) -> list[str]:
        return [task.data.kind for task in load({"id": "azr-tasks", "path": str(data_set), **more}).taskset]

    assert kinds() == ["deduction", "abduction", "induction", "error"]
    assert kinds(kinds=["induction"]) == ["induction"]
    assert kinds(min_rate=0.1, max_rate=0.9) == ["abduction", "induction"]


def test_a_taskset_without_a_path_says_that_one_is_wanted() -> None:
    with pytest.raises(GradingError, match=r"taskset\.path: the folder that `azr export` wrote"):
        list(load({"id": "azr-tasks"}).taskset)


def test_a_task_whose_program_changed_is_found_by_validation(data_set: Path) -> None:
    env = load({"id": "azr-tasks", "path": str(data_set)})
    for task in env.taskset:
        assert asyncio.run(task.validate(None)) is True
        text = json.loads(task.data.task) | {"program": "def f(a, b=2):\n    return [a] * b * 2"}
        changed = AzrTask(task.data.model_copy(update={"task": json.dumps(text)}), task.config)
        # What the error kind asks for, the name of the exception, is the same for both.
        assert asyncio.run(changed.validate(None)) is (task.data.kind == "error")


def test_without_a_verdict_there_is_no_score(data_set: Path) -> None:
    env = load({"id": "azr-tasks", "path": str(data_set)})
    (task,) = env.taskset.take(1)
    broken = AzrTask(task.data.model_copy(update={"task": "no task"}), task.config)

    async def run(url: str) -> vf.Episode:
        context = vf.ModelContext(model=MODEL, client=EvalClientConfig(base_url=url))
        async with env.serving():
            return await env.run_episode(broken, context)

    with serving(lambda text, seed: "x") as stub:
        episode = asyncio.run(run(stub.url))
    assert not episode.ok and not episode.traces[0].ok
    assert "not a task" in episode.traces[0].errors[-1].message and episode.traces[0].rewards == {"azr": None}


def test_a_server_that_fails_is_an_error_of_the_rollout(data_set: Path) -> None:
    from starlette.responses import JSONResponse

    env = load({"id": "azr-tasks", "path": str(data_set)})
    with serving(scripted, lambda body, number: JSONResponse({"error": {"message": "no such thing"}}, 400)) as stub:
        (episode,) = play(env, stub.url, 1)
    assert not episode.ok and "no such thing" in str(episode.traces[0].errors)


@pytest.fixture
def self_play() -> Iterator[SelfPlayEnv]:
    env = load(
        {"id": "azr-self-play", "kinds": ["deduction", "abduction", "induction"]}, n=6, max_concurrent_agents=6,
        overrides=["tasks.inputs=4"],
    )  # fmt: skip
    assert isinstance(env, SelfPlayEnv)
    yield env


def by_name(episode: vf.Episode, name: str) -> list[vf.Trace]:
    return [trace for trace in episode.traces if trace.agent.name == name]


def test_proposers_and_solvers_are_paid_as_azr_pays_them(self_play: SelfPlayEnv) -> None:
    """-0.5 for extremes, 1 - p otherwise; 1, -0.5 or -1 for answers; later proposers see earlier tasks."""
    seeds = iter(range(10_000))
    with serving(lambda text, seed: scripted(text, next(seeds))) as stub:
        episodes = play(self_play, stub.url, 6)
    assert all(episode.ok for episode in episodes), [episode.errors for episode in episodes]
    for episode in episodes:
        (proposer,), solvers = by_name(episode, "proposer"), by_name(episode, "solver")
        assert len(solvers) == 6 and proposer.info["azr"] == "valid"
        rate = sum(trace.metrics["score"] for trace in solvers) / 6
        assert proposer.metrics["solve_rate"] == pytest.approx(rate)
        assert proposer.reward == pytest.approx(-0.5 if rate in (0, 1) else 1 - rate)
        for trace in solvers:
            assert trace.reward == (1.0 if trace.metrics["score"] == 1 else -0.5)
        assert proposer.agent.trainable and all(trace.agent.trainable for trace in solvers)
    rates = [by_name(episode, "proposer")[0].metrics["solve_rate"] for episode in episodes]
    assert any(0 < rate < 1 for rate in rates)
    prompts = [body["messages"][0]["content"] for body in stub.bodies]
    proposals = [text for text in prompts if "Write a new Python program" in text]
    assert "return a + " not in proposals[0] and "return a + " in proposals[-1]


def test_a_proposal_that_is_no_task_costs_the_proposer(self_play: SelfPlayEnv) -> None:
    with serving(lambda text, seed: "I would rather not.") as stub:
        (episode,) = play(self_play, stub.url, 1)
    (proposer,) = episode.traces
    assert episode.ok and proposer.reward == -1.0 and proposer.info["azr"] == "unparseable"
    assert len(stub.bodies) == 1


def test_one_role_can_be_left_out_of_training() -> None:
    env = load({"id": "azr-self-play"}, n=2, train_proposer=False)
    with serving(scripted) as stub:
        (episode,) = play(env, stub.url, 1)
    assert {trace.agent.name: trace.agent.trainable for trace in episode.traces} == {"proposer": False, "solver": True}


def test_the_recipes_of_prime_rl_name_what_there_is() -> None:
    import tomllib

    for name, env in (("azr_tasks", AzrEnv), ("azr_self_play", SelfPlayEnv)):
        recipe = tomllib.loads((PACKAGES / name / "rl.toml").read_text("utf-8"))
        (source,) = recipe["orchestrator"]["train"]["source"]
        given, taskset = source["env"], source["env"]["taskset"]["id"]
        config = env_config_type(taskset, "").model_validate(given)
        assert type(config).__name__ == f"{env.__name__}Config"
        assert config.taskset.id == taskset
        assert {agent.id for agent in config.agent_harnesses().values()} == {taskset}
        assert "verifiers>=0.4.0,<0.5" in (PACKAGES / name / "pyproject.toml").read_text("utf-8")
    assert issubclass(OneTurnHarness, vf.Harness) and sys.version_info >= (3, 11)


def test_a_data_set_that_is_none_is_said(tmp_path: Path) -> None:
    env = load({"id": "azr-tasks", "path": str(tmp_path)})
    with pytest.raises(Exception, match=r"is no data set of `azr export` with a split 'train'"):
        list(env.taskset)


def test_the_grader_s_row_is_what_the_model_is_asked(data_set: Path, tasks: list[Task], grader: Grader) -> None:
    env = load({"id": "azr-tasks", "path": str(data_set)})
    for made, task in zip(env.taskset, tasks, strict=True):
        assert made.data.prompt_text == grader.row(task)["prompt"][0]["content"]


def is_proposal(body: dict[str, Any]) -> bool:
    return any(words in body["messages"][0]["content"] for words in ("Write a new Python program", "Choose"))


def refusing(those: Callable[[int], bool]) -> Callable[[dict[str, Any], int], Any]:
    """Refuses those of the solvers' requests, by their number."""
    from starlette.responses import JSONResponse

    count = iter(range(10_000))

    def refuse(body: dict[str, Any], number: int) -> Any:
        refused = not is_proposal(body) and those(next(count))
        return JSONResponse({"error": {"message": "no such thing"}}, 400) if refused else None

    return refuse


def test_a_task_that_no_solver_finished_is_paid_to_nobody(self_play: SelfPlayEnv) -> None:
    """And it is not the sandbox that failed."""
    with serving(scripted, refusing(lambda number: True)) as stub:
        (episode,) = play(self_play, stub.url, 1)
    assert not episode.ok and len(by_name(episode, "solver")) == 6
    assert "no solver finished" in episode.errors[-1].message and "sandbox" not in episode.errors[-1].message
    assert not any(trace.rewards for trace in episode.traces)


def test_a_solver_that_failed_does_not_count(self_play: SelfPlayEnv) -> None:
    seeds = iter(range(10_000))
    with serving(lambda text, seed: scripted(text, next(seeds)), refusing(lambda number: number % 6 < 2)) as stub:
        (episode,) = play(self_play, stub.url, 1)
    failed = [trace for trace in by_name(episode, "solver") if not trace.ok]
    paid = [trace for trace in by_name(episode, "solver") if trace.ok]
    assert not episode.ok and (len(failed), len(paid)) == (2, 4)
    assert not any(trace.rewards for trace in failed) and all(set(trace.rewards) == {"solver"} for trace in paid)
    (proposer,) = by_name(episode, "proposer")
    assert proposer.metrics["solve_rate"] == sum(trace.metrics["score"] for trace in paid) / 4


def test_a_repeated_proposal_is_paid_by_attempts_at_the_stored_task(self_play: SelfPlayEnv) -> None:
    with serving(
        lambda text, seed: scripted(text, 5 if is_proposal({"messages": [{"content": text}]}) else seed)
    ) as stub:
        episodes = play(self_play, stub.url, 4)
    assert all(episode.ok and len(episode.traces) == 7 for episode in episodes)
    first, again = episodes[0], episodes[3]
    assert first.task.data.kind == again.task.data.kind
    assert {trace.task.data.task for trace in by_name(first, "solver")} == {
        trace.task.data.task for trace in by_name(again, "solver")
    }


def test_an_empty_reply_is_no_task(self_play: SelfPlayEnv) -> None:
    with serving(lambda text, seed: "") as stub:
        episodes = play(self_play, stub.url, 3)
    assert [trace.reward for episode in episodes for trace in episode.traces] == [-1.0] * 3


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([], "at least 1 item"), (["deduction", "deduction"], "deduction"), (["no such"], "no such"), ([""], "kinds"),
    ],
)  # fmt: skip
def test_kinds_that_are_none_are_refused(kinds: list[str], said: str) -> None:
    """None at all would have no first row, however long one waits."""
    with pytest.raises(Exception, match=said):
        play(load({"id": "azr-self-play", "kinds": kinds}), "http://127.0.0.1:1/v1", 1)


@pytest.mark.parametrize("kind", ["deduction", "abduction", "induction"])
def test_one_kind_alone_can_be_played(kind: str) -> None:
    env = load({"id": "azr-self-play", "kinds": [kind]}, n=2)
    with serving(scripted) as stub:
        episodes = play(env, stub.url, 2)
    assert all(episode.ok and len(episode.traces) == 3 for episode in episodes), [e.errors for e in episodes]


def test_rows_of_a_data_set_that_repeat_are_one_task(data_set: Path) -> None:
    """As in data sets that were put together; keys of tasks are unique."""
    import pyarrow
    import pyarrow.parquet as parquet

    path = data_set / "data" / "train.parquet"
    rows = parquet.read_table(path)
    parquet.write_table(pyarrow.concat_tables([rows, rows]), path)
    env = load({"id": "azr-tasks", "path": str(data_set)})
    keys = [task.key for task in env.taskset]
    assert len(keys) == len(set(keys)) == rows.num_rows


def test_a_choice_that_leaves_no_task_is_said(data_set: Path) -> None:
    for more in ({"kinds": ["nothing"]}, {"min_rate": 0.01, "max_rate": 0.02}):
        env = load({"id": "azr-tasks", "path": str(data_set), **more})
        with pytest.raises(Exception, match=r"no task .* fits"):
            list(env.taskset)
