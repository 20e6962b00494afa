"""A preview touches nothing, whatever it shows: it is run by reviewers, on other machines, and before it is agreed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from postfix.host import HostDeclaration
from postfix.target import Directory
from postseal_core.records import encode
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource

Declare = Callable[[Path, str], dict[str, Any]]


def handed_out(directory: Path, text: str) -> dict[str, Any]:
    """Return files for one person, and one that only the first text has."""
    first = {"first.pem": {"text": text}} if text == "first" else {}
    return {
        "directory": str(directory),
        "folders": {"clients/alice": {"alice.cert.pem": {"text": text}} | first},
        "descriptions": {"clients/alice": text},
    }


def hosted(directory: Path, text: str) -> dict[str, Any]:
    """Return a host that only sends; a part of its name is the text."""
    return {
        "declaration": encode(HostDeclaration("web", f"{text}.example.org")),
        "target": encode(Directory(str(directory)).record),
        "chains": {},
    }


TYPES: list[tuple[str, Declare]] = [("HandOut", handed_out), ("RelayClient", hosted)]


@pytest.fixture(params=TYPES, ids=[name for name, _ in TYPES])
def kind(request: pytest.FixtureRequest) -> tuple[str, Declare]:
    """Return one type that writes files after the other, with how it is declared."""
    chosen: tuple[str, Declare] = request.param
    return chosen


@pytest.fixture
def resource(plugin: PluginRuns, kind: tuple[str, Declare]) -> Resource:
    """Return a resource that does not exist yet."""
    return plugin.resource(kind[0], "one")


def traces(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return inode, size and time of everything below a directory, what is hidden included."""
    places = [root, *root.rglob("*")]
    return {str(each): (each.lstat().st_ino, each.lstat().st_size, each.lstat().st_mtime_ns) for each in places}


def test_a_preview_of_something_new_makes_no_file(
    plugin: PluginRuns, kind: tuple[str, Declare], resource: Resource, tmp_path: Path
) -> None:
    """Not even a directory."""
    before = traces(tmp_path)
    changes, _ = plugin.preview(resource, kind[1](tmp_path / "out", "first"))
    assert changes == {"": "create"}
    assert traces(tmp_path) == before


@pytest.mark.parametrize("place", ["out", "elsewhere"], ids=["in its place", "in another place"])
def test_a_preview_of_a_change_leaves_old_and_new_place_alone(
    plugin: PluginRuns, kind: tuple[str, Declare], resource: Resource, tmp_path: Path, place: str
) -> None:
    """The old files are still served when nobody agrees to the change; then the change does what was shown."""
    plugin.up(resource, kind[1](tmp_path / "out", "first"))
    before = traces(tmp_path)
    changes, _ = plugin.preview(resource, kind[1](tmp_path / place, "second"))
    assert changes
    assert traces(tmp_path) == before
    assert plugin.up(resource, kind[1](tmp_path / place, "second")) == changes
    assert traces(tmp_path) != before
