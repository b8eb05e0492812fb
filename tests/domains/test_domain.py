"""A domain's modules, imports, types, verifier and quality score hold what they promise."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import pytest
from azr.buffer.fingerprint import Fingerprints
from azr.config import resolve
from azr.config.domain_files import read
from azr.domains.domain import Domain, make_domain
from azr.errors import DomainError
from azr.pipeline.build import make_sandbox
from azr.pipeline.parts import Parts
from azr.propose import ask, step_prompts
from azr.sandbox import Sandbox
from azr.tasks import KindOptions
from azr.tasks.common import check_rows
from azr.tasks.io import verify
from azr.tasks.static_filter import StaticFilter
from azr.types import Draft, Kind, Reason, Rejected, Role, Task, Valid
from azr.validate import validate

Make = Callable[..., Path]
DEDUCTION, ABDUCTION = Kind("shop.deduction"), Kind("shop.abduction")
VERIFIER = '\n[verifier]\nfile = "verify.py"\n'
TYPES = '\n[types.Price]\ntype = "prices:Price"\nencode = "prices:plain"\n'
QUALITY = '\n[quality]\nfile = "quality.py"\nminimum = 0.5\n'


@lru_cache(maxsize=4)
def sandbox_with(modules: tuple[tuple[str, str], ...]) -> Sandbox:
    """A guest loads its modules once; most tests have the same ones."""
    return make_sandbox(resolve({}), dict(modules))


def load(folder: Path, programs: StaticFilter = StaticFilter()) -> Domain:  # noqa: B008 - frozen
    return make_domain(
        read(folder), KindOptions(), programs, lambda modules: sandbox_with(tuple(sorted(modules.items())))
    )


def task_of(domain: Domain, program: str, text: str = "100", kind: Kind = DEDUCTION) -> Task:
    (task,) = verify([(kind, Draft(program=program, inputs=(text,)))], domain.kinds, domain.sandbox)
    assert isinstance(task, Task), task
    return task


def scores(domain: Domain, task: Task, answers: Sequence[str]) -> list[float]:
    checked = check_rows(domain.kinds[task.kind], domain.sandbox, [(task, answer) for answer in answers])
    return [answer.score for answer in checked]


TAX = "from prices import tax\n\ndef f(a):\n    return tax(a)"


def test_programs_import_the_domains_modules_and_the_host_has_none(make_folder: Make) -> None:
    domain = load(make_folder(prices_py="import sys\n\n\ndef tax(cents):\n    return cents * 2\n"))
    task = task_of(domain, TAX, "21")
    assert task.kind is DEDUCTION and task.outputs[0].to_python() == 42
    with pytest.raises(ImportError):
        __import__("prices")


def test_one_program_cannot_change_a_module_for_the_next(make_folder: Make) -> None:
    domain = load(make_folder())
    spoil = "import prices\n\ndef f(a):\n    prices.tax = lambda cents: 0\n    return prices.tax(a)"
    assert task_of(domain, spoil).outputs[0].to_python() == 0
    assert task_of(domain, TAX).outputs[0].to_python() == 119


def test_a_module_that_does_not_import_is_named_with_its_line(make_folder: Make) -> None:
    with pytest.raises(DomainError, match=r"domain shop: modules: .*prices.*2"):
        load(make_folder(prices_py="x = 1\nraise ValueError('broken')\n"))


def test_imports_are_the_domains_modules_and_its_list(make_folder: Make) -> None:
    domain = load(make_folder(), StaticFilter(banned=("random", "math"), allowed=()))
    programs = [f"import {name}\n\ndef f(a):\n    return a" for name in ("prices", "math", "json", "random")]
    reasons = domain.static_filter.check(domain.sandbox, programs)
    assert reasons == [None, None, Reason.FORBIDDEN_IMPORT, Reason.FORBIDDEN_IMPORT]


def test_without_a_list_the_runs_own_rules_hold(make_folder: Make) -> None:
    toml = 'name = "shop"\nkinds = ["deduction"]\n[modules]\nprices = "prices.py"\n'
    domain = load(make_folder(toml=toml), StaticFilter(banned=("random",)))
    programs = [f"import {name}\n\ndef f(a):\n    return a" for name in ("prices", "json", "random")]
    assert domain.static_filter.check(domain.sandbox, programs) == [None, None, Reason.FORBIDDEN_IMPORT]


def test_instances_of_a_type_are_returned_as_plain_data_however_deep(make_folder: Make) -> None:
    domain = load(make_folder(TYPES))
    program = "from prices import Price\n\ndef f(a):\n    return {'all': [Price(a), (Price(2),)]}"
    task = task_of(domain, program, "1")
    assert task.outputs[0].to_python() == {"all": [("Price", 1), (("Price", 2),)]}
    assert scores(domain, task, ["{'all': [('Price', 1), (('Price', 2),)]}", "{'all': []}"]) == [1.0, 0.0]
    back = task_of(domain, program, "7", ABDUCTION)
    assert scores(domain, back, ["7", "8"]) == [1.0, 0.0]


def test_other_instances_are_still_no_task_values(make_folder: Make) -> None:
    domain = load(make_folder(TYPES))
    program = "class Other:\n    pass\n\ndef f(a):\n    return Other()"
    (made,) = verify([(DEDUCTION, Draft(program=program, inputs=("1",)))], domain.kinds, domain.sandbox)
    assert made in (Reason.NOT_A_TASK_VALUE, Reason.NONDETERMINISTIC)  # its message has an address


def test_arguments_are_data_so_that_they_cannot_change_what_the_program_uses(make_folder: Make) -> None:
    domain = load(make_folder())
    task = task_of(domain, "import prices\n\ndef f(a):\n    return prices.tax(a)", "100", ABDUCTION)
    attack = "setattr(prices, 'tax', lambda cents: 119) or 1"
    assert scores(domain, task, ["100", attack, "f.__globals__.update(prices=None)", "1"]) == [1.0, 0.0, 0.0, 0.0]


def test_the_verifier_gets_task_and_answer_as_values(make_folder: Make) -> None:
    source = (
        "import prices\n\ndef verify(task, answer):\n"
        "    assert task['kind'] == 'deduction' and task['arguments'] == [(100,)] and task['inputs'] == ['100']\n"
        "    assert task['outputs'] == [119] and 'prices' in task['program']\n"
        "    return 1 - abs(answer - prices.tax(100)) / 119\n"
    )
    domain = load(make_folder(VERIFIER, verify_py=source))
    task = task_of(domain, TAX)
    assert scores(domain, task, ["119", "0"]) == [1.0, 0.0]
    assert scores(domain, task, ["59.5"]) == [0.5]


def test_for_abduction_the_answer_is_the_tuple_of_arguments(make_folder: Make) -> None:
    source = "def verify(task, answer):\n    return float(answer == (1, 'b'))\n"
    domain = load(make_folder(VERIFIER, verify_py=source))
    task = task_of(domain, "def f(a, b):\n    return b * a", "2, 'a'", ABDUCTION)
    assert scores(domain, task, ["1, 'b'", "1, 'b',", "(1, 'b')", ""]) == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError(answer)", "verifier_raised"),
        ("while True: pass", "verifier_out_of_fuel"),
        ("return 2.0", "verifier_not_a_score"),
        ("return -0.5", "verifier_not_a_score"),
        ("return float('nan')", "verifier_not_a_task_value"),
        ("return answer", "verifier_not_a_score"),
        ("import random\n    return random.random()", "verifier_nondeterministic"),
    ],
)
def test_a_verifier_that_fails_pays_nothing_and_says_why(make_folder: Make, body: str, reason: str) -> None:
    domain = load(make_folder(VERIFIER, verify_py=f"def verify(task, answer):\n    {body}\n"))
    task = task_of(domain, TAX)
    (answer,) = check_rows(domain.kinds[DEDUCTION], domain.sandbox, [(task, "'x'")])
    assert (answer.score, answer.reason) == (0.0, reason)


def test_answers_that_are_code_never_reach_the_verifier(make_folder: Make) -> None:
    domain = load(make_folder(VERIFIER, verify_py="def verify(task, answer):\n    return 1.0\n"))
    task = task_of(domain, TAX)
    answers = [(task, text) for text in ("exit()", "lambda: 1", "a b")]
    checked = check_rows(domain.kinds[DEDUCTION], domain.sandbox, answers)
    assert [(answer.score, answer.reason) for answer in checked] == [(0.0, "not_a_literal")] * 3


def proposed(make_parts: Callable[..., Parts], folder: Path, programs: Sequence[str]) -> list[Valid | Rejected]:
    """What becomes of proposals in the domain."""
    replies = iter(programs)
    parts = make_parts(
        lambda prompt, draw: f"</think><answer>```python\n{next(replies)}\n```\n```input\n100\n```</answer>",
        f'domains=[{{path="{folder}"}}]', 'tasks.kinds=["shop.deduction"]', f"propose.batch={len(programs)}",
    )  # fmt: skip
    return validate(parts, ask(parts, step_prompts(parts, 1), 1, "propose"), 1)


def test_what_is_below_the_least_quality_is_rejected(make_folder: Make, make_parts: Callable[..., Parts]) -> None:
    source = "def quality(task):\n    return min(1, task['outputs'][0] / 100)\n"
    folder = make_folder(QUALITY, quality_py=source)
    low = "def f(a):\n    return 10"
    good, bad, failing = proposed(make_parts, folder, [TAX, low, "def f(a):\n    return 'text'"])
    assert isinstance(good, Valid) and good.quality == 1.0
    assert isinstance(bad, Rejected) and bad.reason is Reason.LOW_QUALITY and bad.detail == "0.1 < 0.5"
    assert bad.fuel > 0, "it ran before it was appraised"
    assert isinstance(failing, Rejected) and failing.reason is Reason.LOW_QUALITY


def test_proposals_are_held_to_the_domains_rules(make_folder: Make, make_parts: Callable[..., Parts]) -> None:
    folder = make_folder()
    allowed, forbidden = proposed(make_parts, folder, [TAX, "import json\n\ndef f(a):\n    return a"])
    assert isinstance(allowed, Valid) and allowed.task.kind is DEDUCTION
    assert isinstance(forbidden, Rejected) and forbidden.reason is Reason.FORBIDDEN_IMPORT


def test_prompts_say_what_the_domain_adds(make_folder: Make, make_parts: Callable[..., Parts]) -> None:
    more = '\n[prompts.all]\npropose = "Cost: $5."\n[prompts.deduction]\nsolve = "Prices are in cents."\n'
    folder = make_folder(more)
    parts = make_parts(lambda prompt, draw: "", f'domains=[{{path="{folder}"}}]')
    task = task_of(load(folder), TAX)
    proposal, solution = parts.renderer.propose(DEDUCTION).text, parts.renderer.solve(task).text
    assert "Cost: $5." in proposal and "may import nothing but: prices, math." in proposal
    assert "Prices are in cents." in solution and "Cost" not in solution
    assert "Cost" not in parts.renderer.propose(Kind.DEDUCTION).text


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("class Other: pass", "has no attribute 'Rule'"),
        ("class Rule:\n    from_task = False", "it lacks propose_slots, show"),
        ("class Rule:\n    def materialise(self): ...", r"outputs\(results\) replaces materialise"),
        ("class Rule(", "was never closed|invalid syntax"),
        ("import nothing_like_this", "No module named"),
    ],
)
def test_a_class_that_is_no_kind_says_what_it_lacks(make_folder: Make, source: str, message: str) -> None:
    toml = 'name = "shop"\n[new_kinds]\nrule = "own.py:Rule"\n'
    with pytest.raises(DomainError, match=message):
        load(make_folder(toml=toml, own_py=source))


def test_programs_that_return_the_domains_types_have_a_fingerprint(make_folder: Make) -> None:
    """`buffer.deduplicate = "behaviour"` ended a run whose domain has types."""
    domain = load(make_folder(TYPES))
    one, same, other = (
        task_of(domain, f"from prices import Price\n\ndef f(a, b=0):\n    return {text}")
        for text in ("Price(len(str(a)))", "Price(len(str(a)) + 0)", "[Price(len(str(a)))]")
    )
    first, second, third = Fingerprints(lambda kind: domain.kinds[kind].home(domain.sandbox))([one, same, other])
    assert first == second != third and first is not None and third is not None


def test_kinds_of_a_domain_are_kinds_like_others() -> None:
    assert Kind("shop.deduction") is DEDUCTION and DEDUCTION.base is Kind.DEDUCTION and DEDUCTION.domain == "shop"
    assert Kind.DEDUCTION.domain == "" and Kind.DEDUCTION.of("shop") is DEDUCTION
    assert f"{Role.SOLVE}/{DEDUCTION}" == "solve/shop.deduction"
    for name in ("", "Shop", "a.b.c", "a/b", "a b", ".a", "a."):
        with pytest.raises(ValueError, match="no name of a kind"):
            Kind(name)


def test_a_domain_costs_a_program_nothing(make_folder: Make) -> None:
    """Fuel is the same on every machine: no import, no check and no wrapper is paid for by a plain program."""
    domain, bare = load(make_folder()), make_sandbox(resolve({}))
    for program in ("def f(a):\n    return a + 1", "def f(a):\n    return [n * n for n in range(200)][a]"):
        with_modules, without = (sandbox.run(program, call="41").fuel_used for sandbox in (domain.sandbox, bare))
        assert with_modules <= 1.02 * without
