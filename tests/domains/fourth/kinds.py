from azr.domains import Kind, Problem


class Cover(Problem):
    kind = Kind("cover")
    program = "import subnets\n\ndef f(addresses):\n    return subnets.problem(addresses)"
    propose_text = """Write a list of 2 to 24 different addresses from 0 to 255, in one block tagged input.
Another reader has to cover them with
as few blocks as possible; a block is (start, size), where size is a power of two that divides start. For example:

```input
[0, 1, 2, 3, 8]
```
$references"""
    solve_text = """Cover exactly these addresses, no others, with as few blocks as possible.
A block is (start, size), where size is a power
of two that divides start.

```input
$problem
```

Give a list of blocks in one block tagged output, for example:

```output
[(0, 4), (8, 1)]
```
"""
