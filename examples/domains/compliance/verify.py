"""Whether a payment breaks a rule. Runs in the guest; the payment comes as data."""

import rules


def verify(task, answer):
    if not rules.well_formed(answer):
        return 0.0
    return 0.0 if rules.holds(task["message"], answer) else 1.0
