"""Files of lines that only grow, one whole line after the other."""

import os


def cut_torn_tail(handle: int) -> None:
    """Remove an incomplete line that a crash left."""
    size = os.fstat(handle).st_size
    end = size
    while end > 0:
        begin = max(0, end - (1 << 16))
        at = os.pread(handle, end - begin, begin).rfind(b"\n")
        if at >= 0:
            end = begin + at + 1
            break
        end = begin
    if end != size:
        os.ftruncate(handle, end)
