"""A host that leaves a place takes away what is its own there, and nothing that another host has by now."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed
from postfix.host import HostDeclaration, Ownership
from postfix.host_resource.occupation import leftovers, occupy
from postfix.host_resource.preparation import PreparedHost
from postfix.target import Local
from postseal_core.files.tree import FileEntry
from postseal_core.plugin.handler import Context
from postseal_core.plugin.material import MaterialStore
from postseal_core.plugin.memory import Memory

WEB = HostDeclaration("web", "web.example.org", ownership=Ownership.MERGE)
HAS = Deployed(
    files={"tls/web.pem": "sha256:a", "tls/ca.pem": "sha256:b"},
    indexes=("tls_policy.lmdb",),
    parameters=("myhostname", "smtp_tls_loglevel"),
    originals={"smtp_tls_loglevel": "0"},
    has_services=True,
)


@pytest.fixture(name="memory")
def fixture_memory() -> Memory:
    """Return the memory of one run."""
    return Memory()


def context(memory: Memory, urn: str) -> Context:
    """Return what a resource is handed in this run."""
    return Context(
        urn=urn,
        now=datetime(2026, 1, 1, tzinfo=UTC),
        entropy=bytes,
        material=MaterialStore(),
        report=lambda _message: None,
        memory=memory,
    )


def prepared(host: HostDeclaration, *paths: str) -> PreparedHost:
    """Return a host with these files."""
    return PreparedHost(host, tuple(FileEntry(path, b"", 0o644) for path in paths))


def test_alone_it_takes_everything(memory: Memory, tmp_path: Path) -> None:
    """Files go, parameters get back what they were, and the block of services goes from master.cf."""
    assert leftovers(context(memory, "gone"), Local(str(tmp_path)).record, HAS) == HAS


def test_what_another_host_declares_stays(memory: Memory, tmp_path: Path) -> None:
    """Files by their paths, and the names of parameters."""
    target = Local(str(tmp_path)).record
    occupy(context(memory, "other"), target, prepared(WEB, "tls/ca.pem", "tls_policy.lmdb"))
    found = leftovers(context(memory, "gone"), target, HAS)
    assert found.files == {"tls/web.pem": "sha256:a"}
    assert found.indexes == ()
    assert "myhostname" not in found.parameters
    assert set(found.originals) <= set(found.parameters)


def test_a_host_that_has_main_cf_as_a_whole_leaves_no_parameter(memory: Memory, tmp_path: Path) -> None:
    """And one that has master.cf no block; each of the two files by itself."""
    target = Local(str(tmp_path)).record
    occupy(context(memory, "other"), target, prepared(WEB, "main.cf"))
    found = leftovers(context(memory, "gone"), target, HAS)
    assert (found.parameters, found.originals, found.has_services) == ((), {}, True)
    occupy(context(memory, "other"), target, prepared(WEB, "master.cf"))
    found = leftovers(context(memory, "gone"), target, HAS)
    assert (set(found.parameters), found.has_services) == ({"smtp_tls_loglevel"}, False)


def test_a_host_of_its_own_is_no_other(memory: Memory, tmp_path: Path) -> None:
    """What it declares itself in this run is still its own."""
    target = Local(str(tmp_path)).record
    occupy(context(memory, "one"), target, prepared(WEB, *HAS.files))
    assert leftovers(context(memory, "one"), target, HAS).files == HAS.files


def test_another_place_has_nothing_to_do_with_it(memory: Memory, tmp_path: Path) -> None:
    """However alike its files are called."""
    occupy(context(memory, "other"), Local(str(tmp_path / "b")).record, prepared(WEB, *HAS.files))
    assert leftovers(context(memory, "gone"), Local(str(tmp_path / "a")).record, HAS).files == HAS.files
