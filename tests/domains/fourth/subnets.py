class Block:
    def __init__(self, start, size):
        if type(start) is not int or type(size) is not int or not 1 <= size <= 256:
            raise ValueError("a block has a start and a size")
        if size & (size - 1) or start % size or not 0 <= start <= 256 - size:
            raise ValueError("the size is a power of two that divides the start")
        self.start, self.size = start, size

    def contains(self, address):
        return self.start <= address < self.start + self.size

    def split(self):
        half = self.size // 2
        return [Block(self.start, half), Block(self.start + half, half)]


def plain(block):
    return block.start, block.size


def problem(addresses):
    """Addresses to be covered, sorted. Raises for what is none."""
    if type(addresses) is not list or not 2 <= len(addresses) <= 24:
        raise ValueError("2 to 24 addresses")
    if not all(type(address) is int and 0 <= address < 256 for address in addresses):
        raise ValueError("addresses from 0 to 255")
    if len(set(addresses)) != len(addresses):
        raise ValueError("each address once")
    return sorted(addresses)


def fewest(addresses):
    """Blocks that cover exactly these addresses, as few as there can be: whole halves join."""

    def cover(start, size):
        inside = [address for address in addresses if start <= address < start + size]
        if len(inside) == size:
            return 1
        return cover(start, size // 2) + cover(start + size // 2, size // 2) if inside else 0

    return cover(0, 256)
