"""What a message quotes of others moves no cursor, colours nothing and begins no line."""

import pytest

from postseal_core.errors import CertificateError, ConfigError, DeployError, Problem, lines_of_problems
from tests.support.stack_files import host, problems_of, stack

HOSTILE = "\x1b]0;x\x07\x1b[31m\u202eevil\u2028\x9b1m\r\ny: z"


def is_plain(text: str) -> bool:
    """Return whether a terminal shows a text as it stands, in one line."""
    return text.isprintable()


@pytest.mark.parametrize("problem", [Problem("a", HOSTILE), Problem(HOSTILE, "a"), Problem("", HOSTILE)])
def test_a_problem_is_one_plain_line(problem: Problem) -> None:
    """Whatever stands in its path or in its message."""
    assert is_plain(str(problem))
    assert is_plain(str(ConfigError([problem])))
    assert "evil" in str(problem)


@pytest.mark.parametrize("kind", [CertificateError, DeployError])
def test_an_error_keeps_its_lines_and_nothing_else(kind: type[Exception]) -> None:
    """The answer of a program has several, and each is shown as it stands."""
    lines = str(kind(f"first\n{HOSTILE}\nlast")).split("\n")
    assert (lines[0], lines[-1], len(lines)) == ("first", "last", 4)
    assert all(map(is_plain, lines))


@pytest.mark.parametrize(
    "raw",
    [
        stack(servers={"web": {"dns_names": [HOSTILE]}}),
        stack(servers={HOSTILE: {"dns_names": ["web.example.org"]}}),
        stack(clients={"alice": {"email": HOSTILE}}),
        host(restrictions={"smtpd_sender_restrictions": ["check_sender_access x"], "tables": {HOSTILE: {}}}),
        host(settings={HOSTILE: 1}),
        host(transports={HOSTILE: {"destinations": [HOSTILE]}}),
    ],
    ids=["name", "server", "mailbox", "table", "setting", "transport"],
)
def test_a_stack_file_writes_nothing_to_a_terminal(raw: dict[str, object]) -> None:
    """Also where a message repeats a key or says what to write instead."""
    told = problems_of(raw)
    assert told
    assert all(map(is_plain, map(str, told)))


@pytest.mark.parametrize(
    ("count", "last"), [(1, "a: 0"), (200, "a: 199"), (201, "and 1 more problems"), (1_300, "and 1,100 more problems")]
)
def test_what_does_not_fit_into_two_hundred_lines_is_counted(count: int, last: str) -> None:
    """And nothing is counted where all fit."""
    lines = lines_of_problems([Problem("a", str(number)) for number in range(count)])
    assert (len(lines), lines[-1]) == (min(count, 201), last)
