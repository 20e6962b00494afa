"""Page and table of 10,000 clients; they share the stack, which takes seconds to issue."""

from functools import cache
from importlib.resources import files

import pytest

from postseal.report.inventory import build_inventory
from postseal.report.model import Inventory
from postseal.report.page import PageAssets, render_page
from postseal.report.table import TableStyle, render_table
from tests.support.stack_state import NOW, large_stack

pytestmark = pytest.mark.takes_long

PACKAGE = files("postseal.report")
ASSETS = PageAssets(PACKAGE.joinpath("page.css").read_text("utf-8"), PACKAGE.joinpath("page.js").read_text("utf-8"))


@cache
def inventory() -> Inventory:
    """Return what the stack holds."""
    return build_inventory(large_stack(10_000), NOW)


def test_its_page_stays_below_three_megabytes() -> None:
    """Long groups are folded, drawn as density, and show the beginning of each fingerprint only."""
    page = render_page(inventory(), inventory().items, ASSETS)
    assert len(page.encode()) < 3_000_000
    assert page.count("<svg class=track") < 20
    assert page.count("<tr") == 10_001 + 2
    assert page.count("<details class=group open>") == 1


def test_its_table_shows_the_worst_and_counts_the_rest() -> None:
    """Of 10,000 clients the worst 50 have rows, and one line tells about the others."""
    lines = render_table(inventory(), inventory().items, TableStyle()).splitlines()
    assert len(lines) < 70
    assert lines[-1] == "and 9,950 more of which 952 need attention (--all shows them)"
