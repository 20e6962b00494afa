"""Runs tests in a forked process, which has what takes long to import already."""

import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

__all__ = ["Run", "import_heavy_modules", "run_tests"]

# Third parties only: a module of ours that was imported here would never be mutated.
_HEAVY = (
    *("cryptography.x509", "cryptography.hazmat.primitives.serialization.pkcs12", "google.protobuf.struct_pb2"),
    *("grpc", "pulumi", "pulumi.provider", "pulumi.runtime", "pulumi_tls", "pydantic", "yaml"),
)
_OPTIONS = (
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
    "--hypothesis-profile=mutants",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)
# Programs that a killed test would leave running.
_LEFT_OUT = "not needs_postfix and not needs_engine"
_TICK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Run:
    """How a run of tests ended: pytest's exit code, None when it was stopped; the first test that failed; its log."""

    code: int | None
    failed: str
    log: str


class _Chosen:
    """Runs the chosen tests in their order, and writes down how long each took and which failed first.

    Tests are chosen after they were collected: where a mutant changes the name of a test, pytest would call the old
    name a mistake of usage, which looks like a test that failed.
    """

    def __init__(self, tests: Sequence[str] | None, report: Path) -> None:
        self._order = None if tests is None else {test: place for place, test in enumerate(tests)}
        self._report = report
        self._seconds: dict[str, float] = {}
        self._failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen tests, the first chosen first."""
        order = self._order
        if order is not None:
            items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note duration and failure."""
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        """Write the notes."""
        self._report.write_text(json.dumps({"failed": self._failed, "seconds": self._seconds}), encoding="utf-8")


def import_heavy_modules() -> None:
    """Import what tests need of third parties, so that each forked process has it."""
    for name in _HEAVY:
        importlib.import_module(name)


def run_tests(
    copy: Path, tests: Sequence[str] | None, timeout: float, notes: Path, extra: Sequence[str] = ()
) -> tuple[Run, dict[str, float]]:
    """Run tests in a copy of the checkout; return how it ended and how long each test took, in seconds.

    `tests` None runs all quick ones. A run that lasts longer than `timeout` seconds is stopped with what it started.
    `notes` is a directory for its log and its temporary files.
    """
    report, log = notes / "report.json", notes / "log"
    report.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        _be_pytest(copy, tests, notes, extra)
    code = _wait(pid, timeout)
    said: dict[str, Any] = {"failed": "", "seconds": {}}
    if report.exists():
        said = json.loads(report.read_text(encoding="utf-8"))
    return Run(code, said["failed"], log.read_text(encoding="utf-8", errors="replace")), said["seconds"]


def _wait(pid: int, timeout: float) -> int | None:
    deadline = time.monotonic() + timeout
    code = None
    while code is None and time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(_TICK_SECONDS)
    # The child leads a group of its own: what its tests have started goes with it.
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    if code is None:
        os.waitpid(pid, 0)
    return code


def _be_pytest(copy: Path, tests: Sequence[str] | None, notes: Path, extra: Sequence[str]) -> NoReturn:
    code = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        os.setsid()
        output = os.open(notes / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(copy)
        sys.path[0] = str(copy)
        # Programs that tests start import the copy as well.
        os.environ["PYTHONPATH"] = str(copy)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = tests is not None
        few = hypothesis.settings(max_examples=25, derandomize=True, database=None, deadline=None)
        hypothesis.settings.register_profile("mutants", few)
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests or ()))
        where = files or ["tests/unit", "tests/plugin", "tests/components"]
        arguments = [*_OPTIONS, "-m", _LEFT_OUT, f"--basetemp={notes / 'tmp'}", *extra, *where]
        code = int(pytest.main(arguments, plugins=[_Chosen(tests, notes / "report.json")]))
    except BaseException:  # noqa: BLE001  # said in the log; nothing may return into the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
