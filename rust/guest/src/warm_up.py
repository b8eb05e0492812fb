"""What typical programs do, once: see `interpreter::warm_up`."""
import math
import re
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from typing import Any, Dict, List, Optional


class Node:
    def __init__(self, value, next=None):
        self.value = value
        self.next = next

    def __repr__(self):
        return f"Node({self.value!r})"


class Leaf(Node):
    def total(self) -> int:
        return sum(x for x in range(self.value)) + super().__init__(self.value) is None


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def numbers(n):
    for i in range(n):
        yield i * i


def f(items: List[int], text: str, *rest, scale=2.5, **extra):
    counts: Dict[str, int] = {}
    for i, char in enumerate(text):
        counts[char] = counts.get(char, 0) + 1
    try:
        items.index(99)
    except (ValueError, KeyError) as error:
        message = str(error)
    finally:
        total = 0
    while total < 5:
        total += 1
        if total == 3:
            continue
    words = text.upper().lower().title().strip().replace("e", "3").split("t")
    joined = ", ".join(f"{word:>6}|{len(word):03d}" for word in words)
    table = [[0] * 3 for _ in range(3)]
    table[1][2] = fib(6) % 7 ** 2 // 3
    unique = {x & 3 for x in items} | {1, 2} - {5}
    groups = defaultdict(list)
    for x in sorted(items, key=lambda x: -x, reverse=True):
        groups[x % 2].append(x)
    queue = deque(items)
    queue.append(queue.popleft())
    pairs = list(zip(items, map(str, items), reversed(items)))
    best, *others = max(pairs), min(pairs)
    leaf = Leaf(4, Node(None))
    text2 = "%s %d %.3f" % ("a", 3, 2.0) + "{} {:x}".format(1, 255)
    squares = dict(zip("abc", numbers(3)))
    squares.update({"z": 26})
    del squares["z"]
    odd = list(filter(lambda x: x % 2, range(10)))[::-1]
    return {
        "counts": counts, "joined": joined, "table": table, "unique": unique, "ok": bool(total),
        "groups": {k: tuple(v) for k, v in groups.items()}, "queue": list(queue),
        "leaf": repr(leaf), "text": text2 + message, "squares": squares, "odd": odd,
        "math": [math.sqrt(2.0), math.floor(2.5), round(2.567, 2), abs(-3), divmod(7, 2), 2 ** 100],
        "common": Counter(text).most_common(2), "found": re.findall(r"\w", text), "n": isinstance(best, tuple),
        "any": any(odd) and all(odd) or not odd, "slices": text[1:3] + text[-1], "none": None, "x": 1.5 * scale,
    }


print(f([5, 3, 8], "warm"))
assert f is not None
