"""What is sent to a command and what it says, within bounds."""

import time

import pytest

from postfix.deploy.sessions.exchange import TooLateError, TooMuchError, exchange

pytestmark = pytest.mark.takes_long

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
LARGE = bytes(range(256)) * 8192


def run(script: str, said: bytes = b"", seconds: float = 60, most: int = 2**30) -> tuple[int, bytes, str]:
    """Run a script of the shell."""
    ended = exchange(["sh", "-c", script], said, ENVIRONMENT, timeout_seconds=seconds, most_bytes=most)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    ("script", "said", "expected"),
    [
        ("cat", LARGE, (0, LARGE, "")),
        ("cat >/dev/null; echo done; exit 3", LARGE, (3, b"done\n", "")),
        ("echo no; echo why >&2", LARGE, (0, b"no\n", "why\n")),
        ("exec <&-; sleep 0.2; exit 1", LARGE, (1, b"", "")),
        ("true", b"", (0, b"", "")),
    ],
)
def test_everything_is_sent_and_read_whoever_closes_first(
    script: str, said: bytes, expected: tuple[int, bytes, str]
) -> None:
    """Neither side waits for the other for ever."""
    assert run(script, said) == expected


@pytest.mark.parametrize("script", ["exec sleep 60", "echo begun; exec sleep 60", "exec sleep 60 >&-", "exec yes >&2"])
def test_what_does_not_end_in_time_is_killed(script: str) -> None:
    """Also where it has closed its output, or complains without end."""
    began = time.monotonic()
    with pytest.raises(TooLateError):
        run(script, seconds=1)
    assert time.monotonic() - began < 20  # a busy machine


def test_what_says_too_much_is_killed() -> None:
    """However fast it speaks; one byte less is taken."""
    with pytest.raises(TooMuchError):
        run("exec yes", most=100_000)
    assert len(run("head -c 100000 /dev/zero", most=100_000)[1]) == 100_000


def test_of_complaints_the_end_is_kept() -> None:
    """The cause stands there."""
    _, _, complaints = run("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo cause >&2")
    assert complaints.endswith("cause\n")
    assert len(complaints) <= 64 * 2**10
