"""Which programs the benchmarks measure beside each other, and what those must have made."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.hosts import expected_of_bare, expected_of_ours
from benchmarks.private_stack import REPOSITORY, PrivateStack, project_of, virtual_environment_of
from benchmarks.turns import Program, Step, contenders

OTHER = Path("/elsewhere/postseal")


def no_steps(stack: PrivateStack, size: int) -> Iterator[Step]:
    """Measure nothing."""
    del stack, size
    return iter(())


OURS = Program("postseal", Path("ours.py"), no_steps)
PEER = Program("pulumi-tls", Path("peer.py"), no_steps)


def test_ours_takes_turns_with_its_peers() -> None:
    """Without another checkout, all of them run with the packages of this one."""
    assert contenders(OURS, [PEER], None) == [OURS, PEER]
    assert OURS.checkout == REPOSITORY


def test_ours_takes_turns_with_itself_in_another_checkout() -> None:
    """The program stays the same, only packages and plugin are others; peers would only take time."""
    then = Program("postseal then", Path("ours.py"), no_steps, OTHER)
    assert contenders(OURS, [PEER], OTHER) == [OURS, then]


def test_a_checkout_brings_its_own_plugin_and_python() -> None:
    """Either alone would mix the packages of two checkouts in one measurement."""
    plugin = {"name": "postseal", "path": "/elsewhere/postseal/.venv/bin"}
    assert project_of(OTHER)["plugins"] == {"providers": [plugin]}
    assert virtual_environment_of(OTHER, "/here/.venv/bin:/usr/bin") == {
        "PATH": "/elsewhere/postseal/.venv/bin:/here/.venv/bin:/usr/bin",
        "VIRTUAL_ENV": "/elsewhere/postseal/.venv",
    }


@pytest.mark.parametrize(("hosts", "added_clients"), [(1, 0), (10, 0), (10, 1), (100, 1)])
def test_both_programs_must_make_equally_many_certificates(hosts: int, added_clients: int) -> None:
    """One for each host, three for its clients, and those that were added."""
    ours = expected_of_ours(hosts, added_clients)
    certificates = ours["postseal:index:ClientCertificate"] + ours["postseal:index:ServerCertificate"]
    assert certificates == sum(expected_of_bare(hosts, added_clients).values()) == 4 * hosts + added_clients
    assert ours["postseal:index:MailServer"] == hosts
