"""Small tables and what one asks of them. A table is a name for each column and a list of rows.

Programs import this in the guest; it exists nowhere else.
"""


class Table:
    """Rows of plain values under named columns; nothing changes it."""

    def __init__(self, columns, rows):
        columns = list(columns)
        if not columns or len(set(columns)) != len(columns) or not all(type(name) is str for name in columns):
            raise ValueError("a table needs at least one column, and each name once")
        rows = [list(row) for row in rows]
        if any(len(row) != len(columns) for row in rows):
            raise ValueError("every row has one value for each column")
        self.columns = columns
        self.rows = rows

    def column(self, name):
        """The values of one column, from top to bottom."""
        at = self._at(name)
        return [row[at] for row in self.rows]

    def select(self, *names):
        """Only these columns, in this order."""
        places = [self._at(name) for name in names]
        return Table(names, [[row[at] for at in places] for row in self.rows])

    def where(self, name, test):
        """The rows whose value in a column passes a test: a function, or a value to be equal to."""
        at = self._at(name)
        passes = test if callable(test) else lambda value: value == test
        return Table(self.columns, [row for row in self.rows if passes(row[at])])

    def sort(self, name, reverse=False):
        """The rows by the values of a column; equal ones stay in order."""
        at = self._at(name)
        return Table(self.columns, sorted(self.rows, key=lambda row: row[at], reverse=reverse))

    def group(self, name, of, total):
        """One row for each value of a column: the value, and `total` of the other column's values."""
        key, value = self._at(name), self._at(of)
        groups = {}
        for row in self.rows:
            groups.setdefault(row[key], []).append(row[value])
        return Table([name, of], [[found, total(values)] for found, values in groups.items()])

    def join(self, other, on):
        """Every pair of rows that agree in a column; the column once."""
        mine, theirs = self._at(on), other._at(on)
        rest = [name for name in other.columns if name != on]
        rows = [
            row + [match[other._at(name)] for name in rest]
            for row in self.rows
            for match in other.rows
            if match[theirs] == row[mine]
        ]
        return Table([*self.columns, *rest], rows)

    def _at(self, name):
        if name not in self.columns:
            raise KeyError(name)
        return self.columns.index(name)

    def __len__(self):
        return len(self.rows)


def mean(values):
    """The average; of nothing, 0."""
    return sum(values) / len(values) if values else 0


def to_plain(table):
    """A table as plain data: the same for equal tables."""
    return {"columns": table.columns, "rows": table.rows}
