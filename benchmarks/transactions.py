"""Case `transactions`: a change brought to the Postfix of this machine, beside the same change made by hand.

By hand is what an administrator types: write the table, postmap, postfix reload. It checks nothing and proves nothing.
Ours goes through `postfix.deploy.transaction.deploy`, as `pulumi up` does for a local target; the engine is left out.
"""

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.measuring import MeasurementError
from benchmarks.turns import OURS, Plan
from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.transaction import Reloading, deploy
from postseal_core.files.tree import FileEntry
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.test_authority import Credential, ThrowAwayAuthority

__all__ = [
    "BY_HAND",
    "CASE",
    "ROW",
    "SETTING",
    "UNCHANGED",
    "declared_rows",
    "measure_transactions",
    "measured_work",
    "remarks_on",
    "rows_of",
]

CASE: Final = "transactions"
BY_HAND: Final = "by hand"
ROW, SETTING, UNCHANGED = "one row changed", "one parameter changed", "nothing changed"
_TABLE: Final = "relay_clientcerts"
_MAIN_CF: Final = "compatibility_level = 3.6\nmyhostname = mx1.example.org\n"
_ALLOWED_RATIO, _ALLOWED_SECONDS, _BOOT_SECONDS = 1.2, 0.5, 3.0


def measure_transactions(scratch: Path, plan: Plan) -> Iterator[Record]:
    """Yield the records of all sizes; both programs take turns on one running Postfix."""
    (scratch / "rendered").mkdir()
    (scratch / "rendered/main.cf").write_text(_MAIN_CF)
    server = ThrowAwayAuthority("Benchmark CA").issue_server("mx1.example.org")
    with boot(scratch / "rendered") as instance:
        for rows, runs in plan.runs_by_size.items():
            host = _Host(instance, server, rows)
            host.up(0)
            for run in range(runs):
                yield from _turn(host, run)


def remarks_on(records: list[Record]) -> Iterator[str]:
    """Yield a line for each size and step with what is allowed: 1.2 of by hand, 0.5 s, and 3 s for a private boot."""
    for size in dict.fromkeys(record.size for record in records):
        hand = _median_of(records, size, ROW, BY_HAND)
        for step, more in ((ROW, 0.0), (SETTING, _BOOT_SECONDS), (UNCHANGED, 0.0)):
            allowed = _ALLOWED_RATIO * hand + _ALLOWED_SECONDS + more
            took = _median_of(records, size, step, OURS)
            word = "within" if took <= allowed else "MORE than"
            yield f"{size:,} rows, {step}: {took:.2f} s, {word} the {allowed:.2f} s that are allowed"


def _median_of(records: list[Record], size: int, step: str, program: str) -> float:
    found = sorted(
        each.wall_seconds for each in records if (each.size, each.step, each.program) == (size, step, program)
    )
    return found[len(found) // 2]


@dataclass(slots=True)
class _Host:
    """A running Postfix, what we have there, and the next row that changes."""

    instance: PostfixInstance
    server: Credential
    rows: int
    deployed: Deployed = field(default_factory=Deployed)
    current: tuple[int, int] = (0, 0)

    def up(self, serial: int, setting: int = 0) -> Reloading:
        """Deploy the rows as of a serial number."""
        session = LocalSession(self.instance.config_directory)
        served = (self.server.fingerprint_sha256,)
        desired = declared_rows(self.server, self.rows, serial, setting)
        outcome = deploy(session, desired, self.deployed, "bench/dev", served=served)
        self.deployed, self.current = outcome.plan.deployed, (serial, setting)
        return outcome.reloading

    def by_hand(self, serial: int) -> None:
        """Write another table of as many rows, make its index, and have all read anew."""
        directory = self.instance.config_directory
        (directory / "by_hand").write_bytes(rows_of(self.rows, serial))
        for command in (("postmap", "-c", str(directory), f"hash:{directory}/by_hand"), _reload(directory)):
            if self.instance.command(*command).returncode:
                raise MeasurementError(f"{' '.join(command)} failed")


def declared_rows(server: Credential, rows: int, serial: int, setting: int) -> HostFiles:
    """Return a relay with so many clients; the last of them and one parameter depend on the numbers."""
    table = FileEntry(_TABLE, rows_of(rows, serial), 0o644)
    return HostFiles(
        files=(FileEntry("tls/mx1.pem", server.chain_pem.encode(), 0o400),),
        tables=(Table(table, "hash", lists_clients=True),),
        parameters={
            "relay_clientcerts": f"hash:$config_directory/{_TABLE}",
            "smtpd_relay_restrictions": "permit_tls_clientcerts, reject_unauth_destination",
            "smtpd_tls_ask_ccert": "yes",
            "smtpd_tls_chain_files": "$config_directory/tls/mx1.pem",
            "smtpd_tls_fingerprint_digest": "sha256",
            "smtpd_tls_security_level": "may",
            "smtpd_client_connection_count_limit": str(100 + setting),
        },
    )


def _reload(directory: Path) -> tuple[str, ...]:
    return ("postfix", "-c", str(directory), "reload")


def rows_of(rows: int, serial: int) -> bytes:
    """Return a table of so many fingerprints; only the last one depends on the serial number."""
    names = [*map(str, range(rows - 1)), f"last {serial}"]
    return b"".join(sha256(name.encode()).digest().hex(":").upper().encode() + b" client\n" for name in names)


def _turn(host: _Host, run: int) -> Iterator[Record]:
    serial, setting = host.current
    steps: list[tuple[str, str, Callable[[], object]]] = [
        (ROW, BY_HAND, lambda: host.by_hand(serial + 1)),
        (ROW, OURS, lambda: _done(host.up(serial + 1, setting))),
        (SETTING, OURS, lambda: _done(host.up(serial + 1, setting + 1))),
        (UNCHANGED, OURS, lambda: _left(host.up(serial + 1, setting + 1))),
    ]
    for step, program, act in steps:
        taken: list[tuple[float, float]] = []
        with measured_work(taken):
            act()
        (wall, cpu) = taken[0]
        yield Record(CASE, program, host.rows, step, run, wall, cpu, 0)


def _done(reloading: Reloading) -> None:
    if reloading is not Reloading.DONE:
        raise MeasurementError(f"expected a reload, got: {reloading.value}")


def _left(reloading: Reloading) -> None:
    if reloading is not Reloading.NOT_NEEDED:
        raise MeasurementError(f"expected that nothing changes, got: {reloading.value}")


@contextmanager
def measured_work(taken: list[tuple[float, float]]) -> Iterator[None]:
    """Add the wall and processor seconds that something takes."""
    wall, cpu = time.perf_counter(), _processor_seconds()
    yield
    taken.append((time.perf_counter() - wall, _processor_seconds() - cpu))


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
