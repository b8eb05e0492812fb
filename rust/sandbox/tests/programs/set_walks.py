"""Sets changed at random by every operation that they have: a digest of the orders in which they are walked.

CPython with PYTHONHASHSEED=0 gives the digests that the test holds.
"""
import random
import zlib


def element(draw, texts):
    kind = draw.randrange(10)
    if kind < 4:
        return draw.choice([draw.randrange(-9, 40), 8 * draw.randrange(-9, 40), draw.randrange(10**6), draw.randrange(2**80)])
    if kind == 4:
        return draw.choice([None, True, 0.5, -1.5, 2.0**70, 3j, float("inf")])
    if kind == 5:
        return tuple(element(draw, texts) for _ in range(draw.randrange(3)))
    if kind == 6:
        return frozenset(element(draw, texts) for _ in range(draw.randrange(4)))
    if kind == 7:
        return range(draw.randrange(5), draw.randrange(9))
    if kind == 8 and texts:
        return draw.choice(["", "a", "ab", "\xe9", "\u20ac", "\U0001f600", "longer than eight", b"", b"ab"])
    return draw.randrange(64)


def several(draw, texts):
    return [element(draw, texts) for _ in range(draw.choice([0, 1, 2, 3, 5, 8, 13, 40]))]


def iterable(draw, texts, sets):
    made = several(draw, texts)
    return draw.choice([made, tuple(made), dict.fromkeys(made), frozenset(made), draw.choice(sets), iter(made), dict.fromkeys(made).keys()])


def change(draw, texts, sets):
    one, other = draw.choice(sets), draw.choice(sets)
    kind = draw.randrange(26)
    if kind == 0: one = set(iterable(draw, texts, sets))
    elif kind == 1: one = one | other
    elif kind == 2: one = one & other
    elif kind == 3: one = one - other
    elif kind == 4: one = one ^ other
    elif kind == 5: one = one.union(iterable(draw, texts, sets), iterable(draw, texts, sets))
    elif kind == 6: one = one.intersection(iterable(draw, texts, sets))
    elif kind == 7: one = one.difference(iterable(draw, texts, sets))
    elif kind == 8: one = one.symmetric_difference(iterable(draw, texts, sets))
    elif kind == 9: one.update(iterable(draw, texts, sets), iterable(draw, texts, sets))
    elif kind == 10: one.intersection_update(iterable(draw, texts, sets))
    elif kind == 11: one.difference_update(iterable(draw, texts, sets))
    elif kind == 12: one.symmetric_difference_update(iterable(draw, texts, sets))
    elif kind == 13: one |= other
    elif kind == 14: one &= other
    elif kind == 15: one -= other
    elif kind == 16: one ^= other
    elif kind == 17: one = {item for item in other}
    elif kind == 18: one = {*other, *several(draw, texts)}
    elif kind == 19: one = set(frozenset(one))
    elif kind == 20: one = one.copy()
    elif kind == 21: one = [lambda k: k & other, lambda k: k - other, lambda k: k | other, lambda k: k ^ other][draw.randrange(4)](dict.fromkeys(several(draw, texts)).keys())
    elif kind == 22:
        for item in list(one)[::2]:
            one.discard(item)
    elif kind == 23:
        step = draw.choice([1, 3, 8, 64])
        for number in range(draw.randrange(200)):
            one.add(number * step)
    elif kind == 24:
        one.clear()
    else:
        return [one.pop() for _ in range(min(len(one), draw.randrange(6)))]
    sets[draw.randrange(len(sets))] = one
    return list(one)


def f(seed, texts):
    draw = random.Random(seed)
    sets = [set(several(draw, texts)) for _ in range(4)]
    digest = 0
    for _ in range(400):
        shown = change(draw, texts, sets)
        digest = zlib.crc32(repr(shown).encode("utf-8", "surrogatepass"), digest)
    return digest
