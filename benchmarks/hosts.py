"""Case `hosts`: mail servers, each with its own certificate and three clients that may relay there.

Beside it a program that makes the same certificates with pulumi-tls alone. That one renders no configuration, no table
and no files, so it does less.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.private_stack import PrivateStack
from benchmarks.turns import OURS, Plan, Program, Step, contenders, take_turns

__all__ = ["CASE", "expected_of_bare", "expected_of_ours", "measure_hosts"]

CASE: Final = "hosts"
CLIENTS_PER_HOST: Final = 3  # As in the programs.
_PROGRAMS: Final = Path(__file__).resolve().parent / "programs"


def measure_hosts(scratch: Path, plan: Plan) -> Iterator[Record]:
    """Yield the records of all sizes: first `up`, no-change preview, `up` with one client more at one host."""
    ours = Program(OURS, _PROGRAMS / "hosts.py", partial(_steps, expected_of_ours))
    bare = Program("pulumi-tls", _PROGRAMS / "bare_tls_hosts.py", partial(_steps, expected_of_bare))
    yield from take_turns(CASE, scratch, contenders(ours, [bare], plan.against), plan.runs_by_size)


def expected_of_ours(hosts: int, added_clients: int) -> dict[str, int]:
    """Return how many resources of which type our program makes."""
    return {
        "postseal:index:ClientCertificate": CLIENTS_PER_HOST * hosts + added_clients,
        "postseal:index:MailServer": hosts,
        "postseal:index:ServerCertificate": hosts,
    }


def expected_of_bare(hosts: int, added_clients: int) -> dict[str, int]:
    """Return how many resources of which type the bare program makes: its servers are certificates like any other."""
    return {"tls:index/locallySignedCert:LocallySignedCert": (CLIENTS_PER_HOST + 1) * hosts + added_clients}


def _steps(expected: Callable[[int, int], Mapping[str, int]], stack: PrivateStack, hosts: int) -> Iterator[Step]:
    up = stack.up()
    _expect(stack, expected(hosts, 0))
    yield Step("up", up, stack.state_bytes)
    yield Step("no-change preview", stack.preview(), stack.state_bytes)
    larger = replace(stack, variables={**stack.variables, "ADDED_CLIENTS": "1"})
    up = larger.up()
    _expect(stack, expected(hosts, 1))
    yield Step("up, one client more", up, stack.state_bytes)


def _expect(stack: PrivateStack, counts: Mapping[str, int]) -> None:
    for resource_type, count in counts.items():
        stack.expect_count(resource_type, count)
