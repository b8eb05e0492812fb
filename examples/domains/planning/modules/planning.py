"""Crops on plots over seasons: what a problem is, what a plan is, and what a plan yields.

A problem: {"seasons": 2, "yields": {"wheat": [5, 3], "beans": [2, 4]}, "family": {"wheat": "grass", "beans": "pulse"},
"most": 1}. `yields` has one number for each plot; no plot bears crops of one family in two seasons running; no crop
stands on more than `most` plots in one season. A plan is a list of seasons, each a list with the crop of each plot, or
"" for a plot that lies fallow.
"""

from itertools import pairwise, product

MAX_PLOTS, MAX_SEASONS, MAX_CROPS, MAX_YIELD = 3, 4, 4, 100
FALLOW = ""
FIELDS = {"seasons", "yields", "family", "most"}


def problem(given):
    """The problem in its own form, with the best yield there is. Raises ValueError for what is no problem."""
    _need(type(given) is dict and set(given) == FIELDS, "seasons, yields, family, most")
    seasons, yields, family, most = given["seasons"], given["yields"], given["family"], given["most"]
    _need(type(seasons) is int and 1 <= seasons <= MAX_SEASONS, f"1 to {MAX_SEASONS} seasons")
    _need(type(yields) is dict and 1 <= len(yields) <= MAX_CROPS, f"1 to {MAX_CROPS} crops")
    _need(type(family) is dict and set(family) == set(yields), "a family for each crop")
    _need(all(type(name) is str and name.isalpha() for name in [*yields, *family.values()]), "names of letters")
    plots = {len(row) if type(row) is list else 0 for row in yields.values()}
    _need(len(plots) == 1 and 1 <= max(plots) <= MAX_PLOTS, f"a yield for each of 1 to {MAX_PLOTS} plots")
    numbers = [number for row in yields.values() for number in row]
    _need(all(type(number) is int and 0 <= number <= MAX_YIELD for number in numbers), f"yields of 0 to {MAX_YIELD}")
    _need(type(most) is int and 1 <= most <= MAX_PLOTS, f"most of 1 to {MAX_PLOTS}")
    own = {
        "seasons": seasons,
        "yields": {name: list(yields[name]) for name in sorted(yields)},
        "family": {name: family[name] for name in sorted(family)},
        "most": most,
    }
    own["best"] = best(own)
    _need(own["best"] > 0, "something that grows")
    return own


def plots(field):
    """How many plots there are."""
    return len(next(iter(field["yields"].values())))


def season_fits(field, crops):
    """Whether one season's crops are crops, one a plot, none on too many plots."""
    if type(crops) is not list or len(crops) != plots(field):
        return False
    if not all(type(crop) is str and (crop == FALLOW or crop in field["yields"]) for crop in crops):
        return False
    return all(crops.count(crop) <= field["most"] for crop in field["yields"])


def rotates(field, before, after):
    """Whether no plot bears the same family twice running."""
    family = field["family"]
    return all(a == FALLOW or b == FALLOW or family[a] != family[b] for a, b in zip(before, after, strict=True))


def harvest(field, crops):
    """What one season yields."""
    return sum(field["yields"][crop][plot] for plot, crop in enumerate(crops) if crop != FALLOW)


def total(field, plan):
    """What a plan yields; None for what is no plan or breaks a constraint."""
    if type(plan) is not list or len(plan) != field["seasons"]:
        return None
    if not all(season_fits(field, season) for season in plan):
        return None
    if not all(rotates(field, before, after) for before, after in pairwise(plan)):
        return None
    return sum(harvest(field, season) for season in plan)


def best(field):
    """The most that any plan yields: over seasons, the best total that ends in each choice of crops."""
    choices = [list(crops) for crops in product([FALLOW, *field["yields"]], repeat=plots(field))]
    choices = [crops for crops in choices if season_fits(field, crops)]
    worth = [harvest(field, crops) for crops in choices]
    ends = worth
    follows = [[at for at, before in enumerate(choices) if rotates(field, before, after)] for after in choices]
    for _ in range(field["seasons"] - 1):
        ends = [worth[at] + max(ends[before] for before in follows[at]) for at in range(len(choices))]
    return max(ends)


def _need(fits, what):
    if not fits:
        raise ValueError(f"a problem needs {what}")
