"""Numbers of a step, and how the numbers of several ranks become one."""
