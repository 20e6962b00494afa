"""What others change on a host is told, read back, repaired or stopped at; and whose a host is."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pki.fingerprint import certificate_fingerprint_sha256
from postfix.host import HostDeclaration
from postfix.target import Directory, Drift
from postseal_core.records import encode
from tests.plugin.test_host_to_directory import HOST, declared, written
from tests.support.host_certificates import alice
from tests.support.plugin_runs import PluginRuns
from tests.support.provider import Resource

MALLORY = ":".join(["CC"] * 32)
ALICE = certificate_fingerprint_sha256(alice())


@pytest.fixture
def host(plugin: PluginRuns) -> Resource:
    """Return a host that does not exist yet."""
    return plugin.resource("MailServer", "mx1")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return the directory that is deployed to; nothing is there yet."""
    return tmp_path / "hosts/mx1"


def stopping(directory: Path, host: HostDeclaration = HOST) -> dict[str, Any]:
    """Return a relay that stops where somebody else has changed something."""
    return declared(directory, host, target=encode(Directory(str(directory), drift=Drift.STOP).record))


def add_mallory(directory: Path) -> None:
    """Have somebody let a client in by hand."""
    table = directory / "relay_clientcerts"
    table.write_text(f"{table.read_text()}{MALLORY} mallory\n")


def told(lines: list[str]) -> list[str]:
    """Return the lines about what others did."""
    return [line for line in lines if "somebody else" in line]


def test_a_row_that_somebody_added_is_named_and_goes(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """The preview names host, path, client and fingerprint, and `up` makes the table as it was."""
    plugin.up(host, declared(directory))
    before = written(directory)
    add_mallory(directory)
    changes, _ = plugin.preview(host, declared(directory))
    assert changes == {"changed_outside": "update"}
    place = f"mx1: {directory}/relay_clientcerts was changed or removed by somebody else"
    assert plugin.lines == [f"{place}: row CC:CC:CC:CC:CC:CC:CC:CC... of 'mallory' was added; it will be as declared"]
    plugin.up(host, declared(directory))
    assert written(directory) == before
    assert plugin.up(host, declared(directory)) == {}


def test_a_refresh_reads_rows_back_and_the_preview_shows_them_by_name(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """The stored inputs have what was found, so the leaf that differs is the row; a second refresh says the same."""
    plugin.up(host, declared(directory))
    before = dict(host.inputs)
    plugin.start_run()
    host.refresh()
    assert host.inputs == before
    assert not host.outputs.get("edited_by_others")
    table = directory / "relay_clientcerts"
    table.write_text(table.read_text().replace(ALICE, MALLORY))
    for _ in range(2):
        plugin.start_run()
        host.refresh()
        (line,) = host.outputs["edited_by_others"]
        assert f"row {ALICE[:23]}... of 'alice generation=1" in line
        assert "row CC:CC:CC:CC:CC:CC:CC:CC... of 'alice generation=1" in line
    changes, _ = plugin.preview(host, declared(directory))
    (leaf,) = changes.keys() - {"reload"}
    assert leaf.startswith("client_tables.relay_clientcerts")
    plugin.up(host, declared(directory))
    assert ALICE in table.read_text()
    assert not host.outputs.get("edited_by_others")


def test_an_edit_of_the_stack_file_is_never_said_to_be_of_somebody_else(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Rows, parameters and files that a declaration changes; also where stopping is wanted."""
    plugin.up(host, stopping(directory))
    changed = replace(HOST, parameters={"biff": "no"})
    assert plugin.up(host, stopping(directory, changed) | {"access": {}})
    assert told(plugin.lines) == []
    assert b"biff = no" in written(directory)["main.cf"]


def test_where_stopping_is_wanted_nothing_is_touched_and_the_way_on_is_said(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """The preview says that `up` will stop, `up` does; with `repair` it goes on."""
    plugin.up(host, stopping(directory))
    add_mallory(directory)
    edited = written(directory)
    plugin.preview(host, stopping(directory))
    assert [line.partition("; ")[2] for line in told(plugin.lines)] == ["`pulumi up` stops here: `drift: stop`"]
    said = plugin.refusal(plugin.up, host, stopping(directory))
    assert "of 'mallory' was added; nothing was changed, as the target says `drift: stop`; take into" in said
    assert written(directory) == edited
    plugin.up(host, declared(directory))
    assert MALLORY not in written(directory)["relay_clientcerts"].decode()
    assert plugin.up(host, stopping(directory))
    assert plugin.up(host, stopping(directory)) == {}


def other_stack(host: Resource, stack: str = "prod", project: str = "project") -> Resource:
    """Return the same host of another stack."""
    return replace(host, urn=host.urn.replace("urn:pulumi:test::project", f"urn:pulumi:{stack}::{project}"))


@pytest.mark.parametrize("owner", [{"stack": "prod"}, {"stack": "test", "project": "other"}], ids=["stack", "project"])
def test_a_second_stack_is_refused_at_the_preview_and_never_takes_turns(
    plugin: PluginRuns, host: Resource, directory: Path, owner: Mapping[str, str]
) -> None:
    """Whether it would take the files over or not; its removal touches nothing; the first goes on."""
    plugin.up(host, declared(directory))
    before = written(directory)
    second = other_stack(plugin.resource("MailServer", "mx1"), **owner)
    said = f"{directory}: project project, stack test deploys to this directory, as .postseal.json there says"
    taking = encode(Directory(str(directory), take_over=("main.cf", "master.cf")).record)
    for declaration in (declared(directory), declared(directory, target=taking)):
        assert said in plugin.refusal(plugin.preview, second, declaration)
    assert plugin.up(host, declared(directory)) == {}
    # A state that says that all is its own does not prove it either.
    stranger = replace(second, id=host.id, inputs=host.inputs, outputs=host.outputs)
    plugin.start_run()
    stranger.delete()
    assert written(directory) == before
    assert any("does not say that it is ours" in line for line in plugin.lines)


def test_a_stack_under_a_new_name_keeps_its_host(plugin: PluginRuns, host: Resource, directory: Path) -> None:
    """What its record knows is its own, whatever name the mark has; from then on the mark has the new one."""
    plugin.up(host, declared(directory))
    renamed = other_stack(host, "renamed")
    renamed = replace(renamed, id=host.id, inputs=host.inputs, outputs=host.outputs)
    assert plugin.up(renamed, declared(directory, access={}))
    assert '"project/renamed"' in (directory / ".postseal.json").read_text()
    assert "deploys to this directory" in plugin.refusal(
        plugin.preview, plugin.resource("MailServer", "mx2"), declared(directory)
    )


def test_a_host_that_moves_says_beforehand_what_it_gives_back_and_what_stays(
    plugin: PluginRuns, host: Resource, directory: Path, tmp_path: Path
) -> None:
    """The preview and the run say the same, and the preview touches nothing."""
    directory.mkdir(parents=True)
    (directory / "main.cf").write_text("# the administrator's\n")
    taking = encode(Directory(str(directory), take_over=("main.cf",)).record)
    plugin.up(host, declared(directory, target=taking))
    (directory / "relay_clientcerts").write_text("edited\n")
    before = written(directory)
    moved = declared(tmp_path / "other")
    plugin.lines.clear()
    plugin.preview(host, moved)
    assert written(directory) == before
    said = list(plugin.lines)
    assert said == [
        f"{directory}/main.cf is given back, the very file that ours had replaced",
        f"{directory}/relay_clientcerts was edited by somebody, so it is left there; remove it if nobody needs it",
    ]
    plugin.lines.clear()
    plugin.up(host, moved)
    assert plugin.lines == said * 2
    assert written(directory) == {"main.cf": b"# the administrator's\n", "relay_clientcerts": b"edited\n"}


def test_a_directory_that_comes_from_a_backup_is_brought_to_its_declaration(
    plugin: PluginRuns, host: Resource, directory: Path
) -> None:
    """Its mark calls the earlier files ours; nobody is blamed for them, and they do not stay."""
    plugin.up(host, declared(directory))
    shutil.copytree(directory, directory.with_name("backup"))
    without = declared(directory, access={"smtp": {"clients": {}}})
    plugin.up(host, without)
    after = written(directory)
    shutil.rmtree(directory)
    shutil.copytree(directory.with_name("backup"), directory)
    assert ALICE in (directory / "relay_clientcerts").read_text()
    at = len(plugin.lines)
    assert plugin.up(host, without) == {"changed_outside": "update"}
    assert told(plugin.lines[at:]) == []
    assert written(directory) == after
    assert plugin.up(host, without) == {}
