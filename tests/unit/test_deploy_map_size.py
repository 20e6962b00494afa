"""Tables that are too large for lmdb_map_size are named with a size that fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.host_files import Table
from postfix.deploy.map_size import fitting_map_size, problems_of_map_sizes, way_out_of_map_size
from postseal_core.files.tree import FileEntry

MEBIBYTE = 2**20


def table(rows: int, kind: str = "lmdb") -> Table:
    """Return a table with so many rows of 100 bytes, of which one is the end of its line."""
    return Table(FileEntry("clients", b"# a comment\n\n" + (b"k" * 90 + b" " + b"v" * 8 + b"\n") * rows, 0o644), kind)


@pytest.mark.parametrize(("size", "is_told"), [(109 * 1000 - 1, True), (109 * 1000, False)])
def test_rows_that_do_not_fit_by_themselves_are_told(size: int, is_told: bool) -> None:  # noqa: FBT001
    """99 bytes and ten beside them each; remarks take nothing."""
    found = list(problems_of_map_sizes([table(1000)], size))
    assert bool(found) is is_told
    if is_told:
        assert found[0].path == "clients"
        assert f"its rows take 109000 bytes, and lmdb_map_size gives an lmdb table {size}" in found[0].message
        assert "`settings: { lmdb_map_size: 16777216 }`" in found[0].message


@pytest.mark.parametrize("kind", ["hash", "btree", "cdb", "texthash"])
def test_other_types_have_no_such_size(kind: str) -> None:
    """Neither a problem nor a way out of it."""
    assert list(problems_of_map_sizes([table(1000, kind)], 1)) == []
    assert way_out_of_map_size([table(1000, kind)]) == ""


def test_the_way_out_is_that_of_the_largest_table() -> None:
    """One value holds for all tables of a host."""
    assert "33554432" in way_out_of_map_size([table(10), table(120_000), table(1_000_000, "hash")])


@given(st.integers(0, 400_000))
def test_a_fitting_size_is_twice_what_the_rows_take_and_no_problem(rows: int) -> None:
    """What LMDB needs where its pages are half full; a power of two of mebibytes."""
    large = table(1)
    source = b"x" * (rows * 100)
    size = fitting_map_size(source)
    assert size >= 2 * len(source)
    assert size % (16 * MEBIBYTE) == 0
    assert (size & (size - 1)) == 0
    assert list(problems_of_map_sizes([large], fitting_map_size(large.source.content))) == []
