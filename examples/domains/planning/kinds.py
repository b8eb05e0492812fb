"""A kind whose problems are values: the sandbox checks a proposed field, the verifier scores a plan for it."""

from typing import ClassVar

from azr.domains import Kind, Problem


class Plan(Problem):
    """field -> plan, graded by its yield."""

    kind: ClassVar[Kind] = Kind("plan")
    program: ClassVar[str] = "import planning\n\ndef f(field):\n    return planning.problem(field)"
    propose_text: ClassVar[str] = """Write a field to be planned: another reader has to find the plan that yields most.

A field is a dict: "seasons" (1 to 4), "yields" (for each of 1 to 4 crops a list with what it yields on each of 1 to 3
plots, 0 to 100), "family" (the family of each crop), "most" (on how many plots one crop may stand in one season). No
plot may bear crops of one family in two seasons running. Make it hard: the greedy choice should not be the best one.

Give it in one block tagged input, for example:

```input
{"seasons": 2, "yields": {"wheat": [5, 3], "beans": [2, 4]}, "family": {"wheat": "grass", "beans": "pulse"}, "most": 1}
```
$references"""
    solve_text: ClassVar[str] = """Plan a field. "yields" says what each crop yields on each plot. No plot may bear
crops of one family in two seasons running, and no crop may stand on more than "most" plots in one season. The best
plan yields "best" in all.

```input
$problem
```

Give the plan in one block tagged output: a list of seasons, each a list with the crop of each plot, "" for a plot that
lies fallow. The more it yields the better. For example, for two seasons and two plots:

```output
[["wheat", "beans"], ["beans", ""]]
```
"""
