"""A long step shows that it is alive, and does not flood a log."""

import io
import sys
from pathlib import Path

import pytest

from toolchain.console import REPORT_SECONDS, Progress, run_logged


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_terminal_has_one_line_that_is_kept_up_to_date() -> None:
    """Once a second, however often something is told, and it is gone at the end."""
    now, stream = 0.0, Terminal()
    progress = Progress("pulumi", stream, clock=lambda: now)
    for tenth in range(1, 25):
        now = tenth / 10
        progress.show(f"{now} s")
    progress.end()
    assert stream.getvalue() == "\r    pulumi: 1.0 s \r    pulumi: 2.0 s \r\033[K"


def test_a_log_has_a_line_now_and_then() -> None:
    """Whoever reads it later wants to know how long a step took, not every second of it."""
    now, stream = 0.0, io.StringIO()
    progress = Progress("pulumi", stream, clock=lambda: now)
    for second in range(1, 2 * REPORT_SECONDS + 2):
        now = float(second)
        progress.show(f"{second} s")
    progress.end()
    assert stream.getvalue() == f"    pulumi: {REPORT_SECONDS} s\n    pulumi: {2 * REPORT_SECONDS} s\n"


@pytest.mark.parametrize("code", [0, 3])
def test_a_command_leaves_its_output_in_the_log_and_its_verdict(tmp_path: Path, code: int) -> None:
    """Both streams go there, behind what is there already."""
    log = tmp_path / "log"
    log.write_text("before\n")
    program = f"import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit({code})"
    command = [sys.executable, "-c", program]
    assert run_logged(command, cwd=tmp_path, environment={}, log=log, title="it") is (code == 0)
    assert log.read_text() == "before\nout\nerr\n"
