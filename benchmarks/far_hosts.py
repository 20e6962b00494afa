"""Case `far-hosts`: a change brought to many hosts by SSH at once, beside a script of scp, postmap and reload.

Each host has an sshd and a Postfix of its own on this machine; the second time it is 30 ms away, by a port where all
comes later. The script connects anew for each command, to ten hosts at once; it proves nothing. Ours goes
through `postfix.deploy.transaction.deploy`, with new connections, also to ten hosts at once; the engine is left out.
Under the engine it is measured beside pulumi-command: `benchmarks/far_stacks.py`.
"""

import shlex
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from benchmarks.delaying import delayed
from benchmarks.far_limits import Limit, verdicts
from benchmarks.far_stacks import BY_UP, PULUMI_COMMAND, FarPlace, FarStacks, missing_peer
from benchmarks.figures import Record
from benchmarks.measuring import MeasurementError
from benchmarks.transactions import BY_HAND, ROW, SETTING, UNCHANGED, declared_rows, measured_work, rows_of
from benchmarks.turns import OURS, Plan
from postfix.deploy.host_files import Deployed
from postfix.deploy.sessions.ssh import SshSession
from postfix.deploy.sessions.ssh_connection import close_all
from postfix.deploy.transaction import Reloading, deploy, remove
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.ssh_server import SshServer, ssh_server
from tests.support.test_authority import Credential, ThrowAwayAuthority

__all__ = ["AWAY", "CASE", "UNCHANGED_AGAIN", "measure_far_hosts", "remarks_on"]

CASE: Final = "far-hosts"
UNCHANGED_AGAIN: Final = "nothing changed, connections open"
AWAY: Final = ", 30 ms away"
_DELAY_SECONDS: Final = 0.03
_LIMITS: Final = (
    Limit(ROW, 1.2, BY_HAND, ROW),
    Limit(SETTING, 3.0, BY_HAND, ROW),
    Limit(ROW + BY_UP, 1.2, PULUMI_COMMAND, ROW + BY_UP),
    Limit(SETTING + BY_UP, 3.0, PULUMI_COMMAND, ROW + BY_UP),
    Limit(UNCHANGED, 1.0),
    Limit(UNCHANGED_AGAIN, 0.3),
)
_ROWS: Final = 100
_AT_ONCE: Final = 10
_OWNER: Final = "bench/dev"
_FOR_SCP: Final = "Subsystem sftp internal-sftp"
_MAIN_CF: Final = "compatibility_level = 3.6\nmyhostname = mx1.example.org\n"


def measure_far_hosts(scratch: Path, plan: Plan) -> Iterator[Record]:
    """Yield the records of all sizes; the programs take turns on the same hosts."""
    (scratch / "rendered").mkdir()
    (scratch / "rendered/main.cf").write_text(_MAIN_CF)
    credential = ThrowAwayAuthority("Benchmark CA").issue_server("mx1.example.org")
    if why_not := missing_peer():
        print(f"{PULUMI_COMMAND}: not measured, its plugin cannot be had here: {why_not}\n", flush=True)
    for size, runs in plan.runs_by_size.items():
        with ExitStack() as started:
            instances = [started.enter_context(boot(scratch / "rendered")) for _ in range(size)]
            hosts = [_far_host(each, started.enter_context(ssh_server(_FOR_SCP)), credential) for each in instances]
            started.callback(close_all)
            away = [started.enter_context(delayed(host.server.port, _DELAY_SECONDS)) for host in hosts]
            ways = {"": [host.server.port for host in hosts], AWAY: away}
            _at_once(hosts, lambda host: host.up(0, 0))
            for number, way in enumerate(ways):
                _move(hosts, ways[way])
                for run in range(runs):
                    yield from _turn(hosts, run, number * runs + run + 1, way)
            # The next owner is another stack.
            _at_once(hosts, lambda host: host.give_back())
            close_all()
            stacks = FarStacks(CASE, scratch / f"stacks-{size}", has_peer=not why_not, rows=_ROWS)
            for way, ports in ways.items():
                _move(hosts, ports)
                yield from stacks.measure([host.place for host in hosts], runs, way)


def remarks_on(records: list[Record]) -> Iterator[str]:
    """Yield a line for each size and step with what is allowed, as a ratio to a peer or in seconds a host."""
    return verdicts(records, _LIMITS, ("", AWAY))


@dataclass(slots=True)
class _FarHost:
    """A running Postfix behind an sshd, and what we have there."""

    instance: PostfixInstance
    server: SshServer
    credential: Credential
    port: int
    deployed: Deployed = field(default_factory=Deployed)

    def up(self, serial: int, setting: int) -> Reloading:
        """Deploy the rows as of a serial number."""
        session = SshSession(replace(self.server.access, port=self.port), str(self.instance.config_directory))
        served = (self.credential.fingerprint_sha256,)
        desired = declared_rows(self.credential, _ROWS, serial, setting)
        outcome = deploy(session, desired, self.deployed, _OWNER, served=served)
        self.deployed = outcome.plan.deployed
        return outcome.reloading

    def give_back(self) -> None:
        """Take away all that was deployed."""
        session = SshSession(replace(self.server.access, port=self.port), str(self.instance.config_directory))
        remove(session, self.deployed, _OWNER)

    @property
    def place(self) -> FarPlace:
        """Where it is, for programs under the engine."""
        path, key = str(self.instance.config_directory), str(self.server.key("user_key"))
        return FarPlace(path=path, port=self.port, host_key=self.server.host_key, identity_file=key)

    def by_hand(self, serial: int) -> None:
        """Copy another table of as many rows, have its index made, and have all read anew."""
        directory, place = str(self.instance.config_directory), self.server.place
        (place / "by_hand").write_bytes(rows_of(_ROWS, serial))
        (place / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {self.server.host_key}\n")
        options = ["-F", "none", "-i", str(place / "user_key"), "-o", f"UserKnownHostsFile={place}/known_hosts"]
        port, there = str(self.port), f"root@127.0.0.1:{directory}/by_hand"
        remote = f"postmap -c {directory} hash:{directory}/by_hand && postfix -c {directory} reload"
        for command in (
            ["scp", "-q", *options, "-P", port, f"{place}/by_hand", there],
            ["ssh", *options, "-p", port, "root@127.0.0.1", f"PATH=$PATH:/usr/sbin; {remote}"],
        ):
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                raise MeasurementError(f"{shlex.join(command)} failed: {ended.stderr}")


def _far_host(instance: PostfixInstance, server: SshServer, credential: Credential) -> _FarHost:
    return _FarHost(instance, server, credential, server.port)


def _at_once(hosts: list[_FarHost], act: Callable[[_FarHost], object]) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(act, hosts))


def _move(hosts: list[_FarHost], ports: list[int]) -> None:
    for host, port in zip(hosts, ports, strict=True):
        host.port = port


def _turn(hosts: list[_FarHost], run: int, serial: int, away: str) -> Iterator[Record]:
    setting = serial
    steps: list[tuple[str, str, bool, Callable[[_FarHost], object]]] = [
        (ROW, BY_HAND, True, lambda host: host.by_hand(serial)),
        (ROW, OURS, True, lambda host: _ended(host.up(serial, setting - 1), Reloading.DONE)),
        (SETTING, OURS, True, lambda host: _ended(host.up(serial, setting), Reloading.DONE)),
        (UNCHANGED, OURS, True, lambda host: _ended(host.up(serial, setting), Reloading.NOT_NEEDED)),
        (UNCHANGED_AGAIN, OURS, False, lambda host: _ended(host.up(serial, setting), Reloading.NOT_NEEDED)),
    ]
    for step, program, is_cold, act in steps:
        if is_cold:
            close_all()
        taken: list[tuple[float, float]] = []
        with measured_work(taken):
            _at_once(hosts, act)
        (wall, cpu) = taken[0]
        yield Record(CASE, program, len(hosts), step + away, run, wall, cpu, 0)


def _ended(reloading: Reloading, expected: Reloading) -> None:
    if reloading is not expected:
        raise MeasurementError(f"expected `{expected.value}`, got: {reloading.value}")
