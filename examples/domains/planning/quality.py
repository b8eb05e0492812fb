"""How much there is to plan in a field: crops, plots and seasons, as shares of what is allowed. Runs in the guest."""

import planning


def quality(task):
    field = task["outputs"][0]
    sizes = [
        len(field["yields"]) / planning.MAX_CROPS,
        planning.plots(field) / planning.MAX_PLOTS,
        field["seasons"] / planning.MAX_SEASONS,
    ]
    return sum(sizes) / len(sizes)
