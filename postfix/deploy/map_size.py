"""Whether a table fits into the size that Postfix gives an lmdb table; in one that does not, nothing is found."""

from collections.abc import Iterable, Iterator
from typing import Final

from postfix.deploy.host_files import Table
from postseal_core.errors import Problem

__all__ = ["MAP_SIZE", "fitting_map_size", "problems_of_map_sizes", "way_out_of_map_size"]

MAP_SIZE: Final = "lmdb_map_size"
_LMDB: Final = "lmdb"
# What LMDB writes beside a key and its value: at least a header and an offset. Pages are half full in the worst case.
_BESIDE_A_ROW: Final = 10
_PAGES_BESIDE: Final = 16 * 4096
_SMALLEST: Final = 16 * 2**20


def problems_of_map_sizes(tables: Iterable[Table], lmdb_map_size: int) -> Iterator[Problem]:
    """Report lmdb tables whose rows alone take more than `lmdb_map_size` bytes.

    One that is not reported may be too large all the same, as pages are not full: the look-ups in the table tell.
    """
    for table in tables:
        needed = _bytes_of_rows(table.source.content)
        if table.type == _LMDB and needed > lmdb_map_size:
            yield Problem(
                table.source.path,
                f"its rows take {needed} bytes, and {MAP_SIZE} gives an lmdb table {lmdb_map_size}: Postfix would find "
                f"no row and refuse everybody; {_way_out(table)}",
            )


def way_out_of_map_size(tables: Iterable[Table]) -> str:
    """Return what to do where rows are not found in an lmdb table; empty where there is none."""
    largest = max(
        (each for each in tables if each.type == _LMDB), key=lambda each: len(each.source.content), default=None
    )
    return f"if the table is larger than {MAP_SIZE} allows, {_way_out(largest)}" if largest else ""


def fitting_map_size(source: bytes) -> int:
    """Return a value of lmdb_map_size, in bytes, that is large enough for a table's source in any order of its rows."""
    needed = 2 * _bytes_of_rows(source) + _PAGES_BESIDE
    size = _SMALLEST
    while size < needed:
        size *= 2
    return size


def _way_out(table: Table) -> str:
    size = fitting_map_size(table.source.content)
    return f"say `settings: {{ {MAP_SIZE}: {size} }}` of the host, or another table_type, as cdb or texthash"


def _bytes_of_rows(source: bytes) -> int:
    rows = [line for line in source.split(b"\n") if line.strip() and not line.startswith(b"#")]
    return sum(len(row) + _BESIDE_A_ROW for row in rows)
