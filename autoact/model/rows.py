"""Decides which row of the cache an episode gets, and which tokens it takes over from there or from others."""

from __future__ import annotations

from collections.abc import Collection

from autoact.model.cache import Branch, Prefix, Row, RowCache

WORTH_SHARING = 64
"""Common tokens from which rows share them: attention to a prefix costs a call for each layer."""
ROWS = 8
"""The fewest rows that are allocated at once."""
MOST_PREFIXES = 8
"""Prefixes kept for later episodes; the one unused for longest is dropped."""


class Rows:
    """The rows and prefixes of one cache."""

    def __init__(self, layers: int, most: int, space: int | None = None):
        """Takes the number of layers, the most rows, and the most tokens in all rows; None for no limit."""
        self.cache, self.most, self.space = RowCache(layers), most, space
        self.rows: list[Row] = []
        self.prefixes: list[Prefix] = []
        self.clock = 0

    def take(
        self, kind: str, unit: str, ids: list[int], longest: int, branch: Branch | None, busy: Collection[int]
    ) -> Row | None:
        """Returns the row for the tokens `ids`, with those already encoded; None when every row is busy.

        The row has memory for `longest` tokens. At least the last of `ids` is left to encode, for its logits. `busy`
        are the indices of rows in use.
        """
        row = self._own_row(kind, unit) or self._free_row(longest, busy)
        if row is None or not self._make_space(longest, row, busy):
            return None
        kept = reusable(row, ids, branch) if row.kind == kind else 0
        donor, given = self._best_donor(kind, ids, branch)
        prefix, shared = self._best_prefix(kind, ids, branch)
        if kept < max(given, shared):
            kept = self._take_over(row, donor, given, prefix, shared)
        self.clock += 1
        row.kind, row.unit, row.ids, row.branch, row.used = kind, unit, ids[:kept], branch, self.clock
        row.shared = min(row.shared, kept)
        self.cache.reserve(self._rows_to_reserve(longest), longest - row.shared)
        if row.shared == 0:
            row.prefix = None
        elif row.prefix is not None:
            row.prefix.used = self.clock
        return row

    def fits(self, tokens: int, rows: int = 1) -> bool:
        """Returns whether there is memory for `tokens` in each of so many rows."""
        return self.space is None or rows * self.cache.capacity_for(tokens) <= self.space

    def forget(self, unit: str) -> None:
        """Frees the rows of a unit. Their tokens stay: the next episode may begin with the same ones."""
        for row in self.rows:
            if row.unit == unit:
                row.unit = None

    def _rows_to_reserve(self, tokens: int) -> int:
        """Returns the number of rows to allocate: when one more is needed, several, as each time all are copied."""
        if len(self.rows) <= self.cache.rows:
            return self.cache.rows
        more = min(self.most, max(ROWS, 2 * len(self.rows)))
        return more if self.fits(tokens, more) else len(self.rows)

    def _own_row(self, kind: str, unit: str) -> Row | None:
        return next((row for row in self.rows if row.unit == unit and row.kind == kind), None)

    def _make_space(self, tokens: int, row: Row, busy: Collection[int]) -> bool:
        """Removes rows, those unused for longest first, until all have memory; returns whether they have it."""
        spare = sorted((one for one in self.rows if one is not row and one.index not in busy), key=lambda one: one.used)
        dropped = [one for number, one in enumerate(spare) if not self.fits(tokens, len(self.rows) - number)]
        if not self.fits(tokens, len(self.rows) - len(dropped)):
            return False
        if dropped or not self.fits(tokens, self.cache.rows):
            self.rows = [one for one in self.rows if one not in dropped]
            self.cache.keep([one.index for one in self.rows])
            for index, one in enumerate(self.rows):
                one.index = index
        return True

    def _free_row(self, tokens: int, busy: Collection[int]) -> Row | None:
        """Returns a new row, or the one that is unused for longest, first among those that belong to no unit."""
        free = [row for row in self.rows if row.index not in busy]
        forgotten = [row for row in free if row.unit is None]
        if forgotten:
            return min(forgotten, key=lambda row: row.used)
        if len(self.rows) < self.most and (not self.rows or self.fits(tokens, len(self.rows) + 1)):
            self.rows.append(Row(len(self.rows), ""))
            return self.rows[-1]
        return min(free, key=lambda row: row.used, default=None)

    def _best_donor(self, kind: str, ids: list[int], branch: Branch | None) -> tuple[Row | None, int]:
        donors = [(reusable(row, ids, branch), row) for row in self.rows if row.kind == kind]
        given, donor = max(donors, key=lambda found: found[0], default=(0, None))
        return donor, given

    def _best_prefix(self, kind: str, ids: list[int], branch: Branch | None) -> tuple[Prefix | None, int]:
        most = len(ids) - 1 if branch is None else min(branch.at, len(ids) - 1)
        fits = [(min(shared_length(one.ids, ids), most), one) for one in self.prefixes if one.kind == kind]
        shared, prefix = max(fits, key=lambda found: found[0], default=(0, None))
        return (prefix, shared) if shared >= WORTH_SHARING else (None, 0)

    def _take_over(self, row: Row, donor: Row | None, given: int, prefix: Prefix | None, shared: int) -> int:
        """Gives a row the tokens of a prefix, and those of a donor after them; returns how many it then has."""
        common = given if donor is None or donor.branch is None else min(given, donor.branch.at)
        # attention to a second prefix costs another call, so it has to be much longer than the first
        if donor is not None and donor is not row and common >= shared + max(WORTH_SHARING, shared // 2):
            prefix, shared = self._share(donor, common), common
        copied = self.cache.read(donor, shared, given) if donor is not None and given > shared else None
        row.prefix, row.shared = prefix, shared
        if copied is None:
            return shared
        self.cache.write(row, copied)
        return given

    def _share(self, donor: Row, tokens: int) -> Prefix:
        prefix = self.cache.share(donor, tokens)
        self.prefixes = sorted(self.prefixes, key=lambda one: one.used)[1 - MOST_PREFIXES :]
        self.prefixes.append(prefix)
        return prefix


def reusable(row: Row, ids: list[int], branch: Branch | None) -> int:
    """Returns how many tokens of a row `ids` begin with and could use; the last of `ids` is left to encode.

    Tokens of a branch are of use only to the same branch.
    """
    count = min(shared_length(row.ids, ids), len(ids) - 1)
    if row.branch == branch:
        return count
    return min([count, *(one.at for one in (row.branch, branch) if one is not None)])


def shared_length(left: list[int], right: list[int]) -> int:
    """Returns the length of the common beginning."""
    low, high = 0, min(len(left), len(right))
    if left[:high] == right[:high]:
        return high
    while high - low > 1:  # the first `low` are equal, the first `high` are not
        middle = (low + high) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle
    return low
