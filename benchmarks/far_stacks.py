"""The case `far-hosts` under the engine: one `pulumi up` brings a change to all hosts, ours and pulumi-command's."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from benchmarks.figures import Record
from benchmarks.measuring import Measurement, MeasurementError
from benchmarks.private_stack import REPOSITORY, PrivateStack, make_stack
from benchmarks.transactions import ROW, SETTING, rows_of
from benchmarks.turns import OURS
from toolchain.engine import ensure_plugin

__all__ = ["BY_UP", "PULUMI_COMMAND", "FarPlace", "FarStacks", "missing_peer"]

PULUMI_COMMAND: Final = "pulumi-command"
BY_UP: Final = ", by pulumi up"
_PROGRAMS: Final = Path(__file__).resolve().parent / "programs"
_POSTMAP: Final = "/usr/sbin/postmap"


@dataclass(frozen=True, slots=True)
class FarPlace:
    """One host as both programs are told of it; the members are arguments of `postfix.Ssh`."""

    path: str
    port: int
    host_key: str
    identity_file: str

    @property
    def arguments(self) -> dict[str, str | int]:
        """The members by name."""
        return {"path": self.path, "port": self.port, "host_key": self.host_key, "identity_file": self.identity_file}


@dataclass(frozen=True, slots=True)
class _Contender:
    """A program; `resources`: of which types its state has one for each host. `table`: where its rows stand there."""

    name: str
    file: str
    resources: tuple[str, ...]
    table: str


_OURS: Final = _Contender(OURS, "far_hosts.py", ("postseal:index:MailServer",), "relay_clientcerts")
_PEER: Final = _Contender(
    PULUMI_COMMAND,
    "command_far_hosts.py",
    ("command:remote:CopyToRemote", "command:remote:Command"),
    "by_command",
)


def missing_peer() -> str:
    """Return why there is no pulumi-command here, empty where there is; its plugin is fetched if need be."""
    return ensure_plugin(REPOSITORY, os.environ, "command", version(PULUMI_COMMAND)) or ""


class FarStacks:
    """A stack of each program over the same hosts; they take turns."""

    def __init__(self, case: str, scratch: Path, *, has_peer: bool, rows: int) -> None:
        self._case = case
        self._rows = rows
        self._serial, self._limit = 1_000_000, 100
        self._stacks = {
            each: make_stack(scratch / each.name, _PROGRAMS / each.file, {})
            for each in ([_OURS, _PEER] if has_peer else [_OURS])
        }

    def measure(self, places: Sequence[FarPlace], runs: int, away: str) -> Iterator[Record]:
        """Yield the records of a changed row by each program, and of a changed parameter by ours.

        The first `up` is not measured: it brings the hosts, or the way to them.
        """
        for each in self._stacks:
            self._up(each, places)
        for run in range(runs):
            self._serial += 1
            for each in self._stacks:
                yield self._record(each, ROW + BY_UP + away, run, len(places), self._up(each, places))
            self._limit += 1
            yield self._record(_OURS, SETTING + BY_UP + away, run, len(places), self._up(_OURS, places))

    def _up(self, contender: _Contender, places: Sequence[FarPlace]) -> Measurement:
        rows = rows_of(self._rows, self._serial).decode()
        stack = self._told(contender, places, rows)
        measurement = stack.up()
        for resource_type in contender.resources:
            stack.expect_count(resource_type, len(places))
        last = rows.split()[-2]
        for place in places:
            table = f"hash:{place.path}/{contender.table}"
            found = subprocess.run([_POSTMAP, "-c", place.path, "-q", last, table], capture_output=True, check=False)
            if found.returncode:
                raise MeasurementError(f"{contender.name}: the new row is not in {table}: see {stack.log}")
        return measurement

    def _told(self, contender: _Contender, places: Sequence[FarPlace], rows: str) -> PrivateStack:
        hosts = json.dumps([each.arguments for each in places])
        variables: Mapping[str, str] = {"HOSTS": hosts, "TABLE": rows, "LIMIT": str(self._limit)}
        return replace(self._stacks[contender], variables=variables)

    def _record(self, contender: _Contender, step: str, run: int, hosts: int, measurement: Measurement) -> Record:
        return Record(
            case=self._case,
            program=contender.name,
            size=hosts,
            step=step,
            run=run,
            wall_seconds=measurement.wall_seconds,
            cpu_seconds=measurement.cpu_seconds,
            peak_rss_bytes=measurement.peak_rss_bytes,
            state_bytes=self._stacks[contender].state_bytes,
        )
