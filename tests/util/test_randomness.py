"""Chance is a function of seed, step and purpose."""

from azr.util.randomness import derive, generator


def test_equal_keys_give_equal_numbers_and_others_differ() -> None:
    keys = [(0, 1, "a"), (0, 2, "a"), (1, 1, "a"), (0, 1, "b")]
    assert len({derive(*key) for key in keys}) == len(keys)
    assert all(0 <= derive(*key) < 2**63 for key in keys)
    assert generator(0, 1, "a").random() == generator(0, 1, "a").random() != generator(0, 1, "b").random()


def test_numbers_are_the_same_in_every_version() -> None:
    assert derive(0, 1, "propose") == 4368678147840200325
    assert generator(3, 5, "references/deduction").integers(1000, size=4).tolist() == [660, 201, 435, 535]
