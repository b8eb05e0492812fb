import subnets


def verify(task, answer):
    """1 for the fewest blocks, less for more of them, 0 for anything that is not an exact cover."""
    addresses = task["outputs"][0]
    if type(answer) is not list or not 1 <= len(answer) <= 256:
        return 0.0
    covered = []
    for block in answer:
        if type(block) is not tuple or len(block) != 2 or not all(type(part) is int for part in block):
            return 0.0
        try:
            own = subnets.Block(*block)
        except ValueError:
            return 0.0
        covered += range(own.start, own.start + own.size)
    return subnets.fewest(addresses) / len(answer) if sorted(covered) == addresses else 0.0
