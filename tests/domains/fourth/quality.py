import subnets


def quality(task):
    """Covers: more for addresses that join. Programs: more for those that use the library."""
    if task["kind"] == "cover":
        addresses = task["outputs"][0]
        return 1 - subnets.fewest(addresses) / len(addresses)
    return 1.0 if "Block(" in task["program"] else 0.5
