"""The text of the program that runs on hosts, and what it says and reads, without a host."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from postfix.deploy.host_program import raise_failure
from postfix.deploy.program import program_path
from postfix.deploy.program_result import End, failure_of, read_result, sentence_of_recovery, sentences_of_evidence
from postseal_core.errors import DeployError

SHELLS = (["dash"], ["bash", "--posix"], ["busybox", "ash"])
TEXT = Path(program_path()).read_text()
ROOT = "/etc/postfix"


@pytest.mark.takes_long  # a check before a commit runs it as well
def test_shellcheck_has_nothing_to_say() -> None:
    """Not even a note: what is meant otherwise says so in its line."""
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("shellcheck is not installed beside Python")
    said = subprocess.run([shellcheck, "--shell=sh", program_path()], capture_output=True, text=True, check=False)
    assert (said.stdout, said.returncode) == ("", 0)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_reads_it(shell: list[str]) -> None:
    """Only the grammar; tests of transactions run it under each."""
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not here")
    assert subprocess.run([*shell, "-n", program_path()], check=False).returncode == 0


def test_every_step_can_be_cut_and_nothing_on_a_host_can_cut_it() -> None:
    """The one line that tests replace does nothing, and no variable of the environment is read."""
    assert TEXT.count("\nat() { :; }\n") == 1
    assert len(re.findall(r"^\s+at \S+$", TEXT, re.MULTILINE)) > 10
    assert "POSTSEAL_" not in TEXT


def test_every_command_that_it_runs_is_looked_for_first() -> None:
    """So a host that lacks one is told before anything is touched."""
    needed = set(re.search(r"needed='([^']*)'", TEXT)[1].split())  # type: ignore[index]
    outside = {"awk", "tac", "find", "xargs", "head", "tail", "dirname", "basename", "ls", "expr"}
    assert {word for word in outside if re.search(rf"(^|[|(]\s*|\$\(){word} ", TEXT, re.MULTILINE)} == set()
    assert {"flock", "setsid", "openssl", "ss", "ip", "mktemp", "tar", "postconf", "postmap", "postfix"} <= needed


REFUSED = {
    "user\tnobody": f"only root may deploy to {ROOT}; nothing was changed",
    "type\tcdb: fatal: no such thing": (
        "this host cannot make cdb tables (fatal: no such thing); nothing was changed; "
        "install the package of that table type, or declare texthash"
    ),
    "step\tmv: {no} space": "mv: {no} space; nothing was changed",
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_refusal_is_a_sentence_with_a_way_out(fault: str) -> None:
    """Whatever braces a command writes."""
    result = read_result(f"fault\t{fault}\nend\trefused\ncomplete\n")
    assert failure_of(result, ROOT) == REFUSED[fault]


@pytest.mark.parametrize("end", End)
def test_every_end_is_told(end: End) -> None:
    """Only two of them are no failure."""
    is_well = end in (End.COMMITTED, End.NOTHING)
    assert (failure_of(read_result(f"end\t{end}\ncomplete\n"), ROOT) is None) == is_well


@pytest.mark.parametrize(
    "row", ["kept\tx\ty\tz", "kept\t1", "fault", "end", "file\tx", "index", "rolled_back\t1", "recovered", "evidence"]
)
def test_a_host_that_says_what_nobody_can_read_is_an_error_and_no_traceback(row: str) -> None:
    """Whoever has a host can have it say anything."""
    with pytest.raises(DeployError, match="says what nobody can read"):
        read_result(f"{row}\nend\tcommitted\ncomplete\n")


def test_nothing_that_a_host_says_steers_a_terminal() -> None:
    """Errors see to it themselves; what is odd in numbers of sessions is not told."""
    rows = ("left\tx\x1b[2J", "kept\t1\t\x1b\t\x9b2J", "rolled_back\t1\t\x1b", "evidence\tsessions\t1")
    result = read_result("\n".join((*rows, "end\tcommitted", "complete")))
    assert "\\x1b" in str(result.left)
    said = (*result.left, *(f"{each.time}{each.owner}" for each in result.kept), *(result.rolled_back or ()))
    assert all(each.isprintable() for each in said)
    assert sentences_of_evidence(result.evidence) == []


@pytest.mark.parametrize("text", ["", "end\tcommitted\n", "sh: not found\n"])
def test_an_output_that_is_cut_is_no_result(text: str) -> None:
    """A program that was killed while it spoke has not said that all is well."""
    with pytest.raises(DeployError, match="did not say how it ended"):
        read_result(text)


def test_a_change_meanwhile_asks_for_a_new_plan_and_a_conflict_does_not() -> None:
    """After a conflict nobody but the operator knows what the files should be."""
    changed = read_result("fault\tchanged\t/etc/postfix/main.cf\nend\trefused\ncomplete\n")
    conflict = read_result("fault\tconflict\t/etc/postfix/main.cf\nend\tconflict\ncomplete\n")
    assert (changed.is_changed_meanwhile, conflict.is_changed_meanwhile) == (True, False)
    assert "/.postseal/journal" in str(failure_of(conflict, ROOT))


def test_what_became_of_an_earlier_run_is_told_as_it_was() -> None:
    """One that could be finished, and one whose files failed."""
    finished = read_result("recovered\tforward\nend\tcommitted\ncomplete\n")
    failed = read_result("recovered\tforward\nfault\tprobe\tx\nend\trestored\ncomplete\n")
    assert "it was finished" in sentence_of_recovery(finished)
    assert "were put back" in sentence_of_recovery(failed)
    assert sentence_of_recovery(read_result("end\tnothing\ncomplete\n")) == ""


EVIDENCE = {
    "server\t127.0.0.1:25\tstarttls\ttls AA:BB\t554 5.7.1 no": [],
    "server\t127.0.0.1:25\tstarttls\tbroken\tnone": ["127.0.0.1:25 offers TLS and cannot do it, so nothing is"],
    "server\t127.0.0.1:25\tstarttls\tdead\tnone": ["127.0.0.1:25 does not answer, and did not before"],
    "table\thash:relay_clientcerts\tfound\t3": [],
    "sessions\t0\t0": [],
    "sessions\t2\t1": ["2 open sessions, which", "1 open session still has the rows"],
    "sessions\t1\t2": ["1 open session, which still had the rows from before, was cut", "2 open sessions still have"],
}


@pytest.mark.parametrize("evidence", EVIDENCE)
def test_what_is_not_as_one_would_wish_is_told_and_nothing_else(evidence: str) -> None:
    """A server that others have broken, and sessions that were cut or go on."""
    found = sentences_of_evidence(read_result(f"evidence\t{evidence}\nend\tcommitted\ncomplete\n").evidence)
    assert [line.startswith(begin) for line, begin in zip(found, EVIDENCE[evidence], strict=True)] == [True] * len(
        found
    )


def test_what_is_obsolete_and_stays_is_an_error_only_where_it_could_not_be_removed() -> None:
    """Somebody's edit of a file that goes is theirs; a note that was not written has to be known."""
    raise_failure(read_result("left\t/etc/postfix/old\nend\tcommitted\ncomplete\n"), ROOT)
    failed = read_result("left\t/etc/postfix/old\trm: cannot\nend\tcommitted\ncomplete\n")
    with pytest.raises(DeployError, match=r"all is deployed, but .* /etc/postfix/old: rm: cannot"):
        raise_failure(failed, ROOT)
