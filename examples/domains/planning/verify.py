"""How good a plan is: its yield as a share of the best. Runs in the guest; the plan comes as data."""

import planning


def verify(task, answer):
    field = task["outputs"][0]
    found = planning.total(field, answer)
    return 0.0 if found is None else found / field["best"]
