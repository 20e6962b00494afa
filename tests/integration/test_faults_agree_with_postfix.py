"""Which program of a booted Postfix ends, or refuses mail, with a value is what is told of the host; others go on."""

import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from subprocess import run

import pytest

from postfix.effective.listeners import listeners_of
from postfix.effective.soundness import Fault, Harm, HostFacts, faults_of
from postfix.effective.visitors import Answer, Asked, Question
from postfix.parameter_readers import EVERY_PROGRAM, known_readers
from postfix.parameters import known_parameters
from tests.support.judged_host import HostAnswers, captured
from tests.support.loopback import free_ports, until
from tests.support.postfix_instance import Boot, BootError, PostfixInstance
from tests.support.postfix_staging import age_files

pytestmark = pytest.mark.needs_postfix

MAIN_CF = {
    "compatibility_level": "3.6",
    "myhostname": "mx1.example.test",
    "mydestination": "mx1.example.test",
    "smtpd_peername_lookup": "no",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
}
WRONG = {"boolean": "maybe", "integer": "many", "time": "5x", "size": "many"}
# Asked for by name on a socket of their own; one process of them is enough.
PROGRAMS = {"anvil": "1", "cleanup": "0", "local": "-", "pickup": "1", "proxymap": "-", "smtp": "-", "smtpd": "-"} | {
    **dict.fromkeys(("bounce", "tlsproxy"), "0"),
    **dict.fromkeys(("lmtp", "trivial-rewrite"), "-"),
}
PRIVILEGED = frozenset({"local"})
SECONDS = 20.0
# One in so many of the pairs of program and parameter.
EACH = 4
# Good values that look odd, and words that are no kind's: nobody ends.
GOOD = [
    ("smtpd", "smtpd_hard_error_limit", "+9"),
    ("smtpd", "smtpd_helo_required", "YES"),
    ("smtpd", "smtpd_timeout", "5m"),
    ("smtp", "smtp_host_lookup", "dns6"),
    ("smtpd", "smtpd_tls_security_level", "verify"),
    ("smtpd", "smtpd_tls_fingerprint_digest", "sha257"),
    ("smtpd", "smtpd_tls_ciphers", "strong"),
    ("smtpd", "smtpd_tls_protocols", "TLSv1.2+"),
    ("smtpd", "smtp_helo_timeout", "5x"),
    ("cleanup", "smtpd_helo_required", "maybe"),
    ("trivial-rewrite", "swap_bangpath", "no"),
]
BAD = [
    ("smtpd", "smtpd_helo_required", "yes # a remark"),
    ("smtpd", "smtpd_tls_security_level", "dane"),
    ("smtpd", "receive_override_options", "no_checks"),
    ("smtpd", "unknown_address_tempfail_action", "permit"),
    ("smtpd", "notify_classes", "nothing"),
    ("smtpd", "smtpd_hard_error_limit", "0"),
    ("smtpd", "smtpd_timeout", "0"),
    ("smtpd", "smtpd_tls_ciphers", ""),
    ("smtpd", "relay_clientcerts", "/etc/rows"),
    ("smtpd", "smtpd_restriction_classes", "nowhere"),
    ("smtpd", "smtpd_relay_restrictions", "permit_mynetworks"),
    ("smtp", "smtp_tls_security_level", "strict"),
    ("smtp", "smtp_dns_support_level", "on"),
    ("smtpd", "smtpd_timeout", "5M"),
    ("cleanup", "sender_bcc_maps", "/etc/bcc"),
    ("cleanup", "canonical_maps", "proxy:hash:/etc/not-allowed"),
    ("trivial-rewrite", "transport_maps", "proxy:hash:/etc/not-allowed"),
    ("local", "alias_maps", "/etc/aliases"),
]


def wrong_values() -> list[tuple[str, str, str]]:
    """Return values that are none of their kind, for each program that reads them: one of several of all there are."""
    here = {line.partition("=")[0].strip() for line in _postconf("-d").splitlines()}
    found: list[tuple[str, str, str]] = []
    for name, readers in known_readers().items():
        if name not in here:
            continue
        everybody = {"cleanup"} if EVERY_PROGRAM in readers.programs else set()
        if value := WRONG.get(known_parameters()[name].kind):
            found += [(program, name, value) for program in sorted(everybody | (readers.programs & PROGRAMS.keys()))]
    return found[::EACH]


def _postconf(*arguments: str) -> str:
    return run(["postconf", *arguments], capture_output=True, text=True, check=True).stdout


def _write(directory: Path, parameters: Mapping[str, str]) -> Path:
    text = "".join(f"{name} = {value}\n" for name, value in {**MAIN_CF, **parameters}.items())
    (directory / "main.cf").write_text(text)
    return directory


def _poke(instance: PostfixInstance, name: str) -> None:
    """Connect to a service, so that master(8) starts its program."""
    is_unix = ":" not in name
    with socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET) as connection:
        connection.settimeout(0.2)
        if is_unix:
            connection.connect(str(instance.queue_directory / "private" / name))
        else:
            host, _, port = name.rpartition(":")
            connection.connect((host, int(port)))
        with suppress(OSError):
            connection.recv(1)


def _told(instance: PostfixInstance, facts: HostFacts) -> tuple[Fault, ...]:
    configuration = captured(instance.config_directory)
    answers = HostAnswers(instance.config_directory, {})
    known: dict[Question, Answer] = {}
    while True:
        found, missing = faults_of(configuration, known, facts)
        if not missing:
            return found
        known |= {each: answers.to(each) for each in missing}


def test_programs_end_where_it_is_told_and_nowhere_else(tmp_path: Path, postfix_instance: Boot) -> None:
    """Each value stands as an option of one service, whose program is started."""
    values = [*wrong_values(), *BAD, *GOOD]
    ports = free_ports()
    names = [f"127.0.0.1:{next(ports)}" if program == "smtpd" else f"t{at}" for at, (program, *_) in enumerate(values)]
    instance = postfix_instance(_write(tmp_path, {}), servers={}, is_started=False)
    lines = [
        f"{names[at]} {'inet n' if ':' in names[at] else 'unix -'} {'n' if program in PRIVILEGED else '-'} n - "
        f"{PROGRAMS[program]} {program} -o syslog_name=postfix/t{at} -o {{ {name} = {value} }}"
        for at, (program, name, value) in enumerate(values)
    ]
    with (instance.config_directory / "master.cf").open("a") as master_cf:
        master_cf.write("\n".join([*lines, ""]))
    instance.start_as_it_is()
    for name in names:
        _poke(instance, name)
    places = {each.place.rpartition("/")[0] for each in _told(instance, HostFacts()) if each.harm is Harm.ENDS}
    told = {at for at, name in enumerate(names) if name in places}
    expected = {*range(len(values) - len(GOOD))}
    until(lambda: _ended(instance, values) >= expected, SECONDS)
    assert {values[at] for at in expected ^ _ended(instance, values)} == set()
    assert {values[at] for at in expected ^ told} == set()


def _ended(instance: PostfixInstance, values: Sequence[tuple[str, str, str]]) -> set[int]:
    """Return which programs ended; with a value that all read, they do not know their name in the log yet."""
    log = instance.log_since(0)
    nameless = " ".join(re.findall(r"postfix/[a-z-]+\[\d+\]: fatal: (.*)", log))
    by_name = {int(at) for at in re.findall(r"postfix/t(\d+)/\S+\[\d+\]: fatal: ", log)}
    of_all = {
        at
        for at, (_, name, _value) in enumerate(values)
        if (readers := known_readers().get(name))
        and EVERY_PROGRAM in readers.programs
        and re.search(rf"\b{name}\b", nameless)
    }
    return by_name | of_all


FILES: Mapping[str, tuple[str, str | None, str]] = {
    "a line without a sign": ("mydestination\n", "smtp inet n - y - - smtpd\n", "missing '='"),
    "a line of master.cf that is cut": ("", "smtp inet n - y\n", "bad field count"),
    "no master.cf": ("", None, "master.cf"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_postfix_does_not_read_are_told(case: str, tmp_path: Path) -> None:
    """Nothing is known of the host then, which is never taken for well."""
    main_cf, master_cf, words = FILES[case]
    (_write(tmp_path, {}) / "main.cf").write_text(main_cf)
    if master_cf is not None:
        (tmp_path / "master.cf").write_text(master_cf)
    age_files(tmp_path)
    assert words in captured(tmp_path).cannot_tell


def test_of_two_lines_the_last_counts_and_a_misspelt_name_counts_for_nothing(tmp_path: Path) -> None:
    """As in the daemons, which only warn; a first line that is continued from nowhere is not there."""
    text = " lost = yes\nsmtpd_timeout = 5s\nsmtpd_timeout = 6s\nsmtpd_timeoutt = 7s\nmynetworks = $nosuch\n"
    (tmp_path / "main.cf").write_text(text)
    (tmp_path / "master.cf").write_text("25 inet n - y - - smtpd\n26 inet n - y - - smtpdd\n")
    age_files(tmp_path)
    found = captured(tmp_path)
    assert (found.parameters["smtpd_timeout"], "smtpd_timeoutt" in found.written) == ("6s", False)
    assert "lost" not in found.parameters
    (listener,) = listeners_of(found)
    assert listener.values["mynetworks"] == ""
    (fault,) = (each for each in faults_of(found, {_program("smtpdd"): Answer.BROKEN})[0] if each.program == "smtpdd")
    assert (fault.harm, fault.place) == (Harm.ENDS, "26/inet")


def _program(name: str) -> Question:
    directory = _postconf("-dh", "daemon_directory").strip()
    return Question(Asked.READABLE, f"{directory}/{name}", "root")


HOSTS: Mapping[str, Mapping[str, str]] = {
    "a queue that is not there": {"queue_directory": "/nonexistent/spool"},
    "an address of another host": {"inet_interfaces": "127.0.0.1, 203.0.113.1"},
    "a number that all read": {"line_length_limit": "many"},
    "a depth that postfix(1) reads": {"hash_queue_depth": "many"},
    "a protocol that is none": {"inet_protocols": "ipv5"},
    "no name of a host": {"myhostname": ""},
}


@pytest.mark.parametrize("case", HOSTS)
def test_nothing_starts_where_it_is_told(case: str, tmp_path: Path, postfix_instance: Boot) -> None:
    """master(8) itself ends, and its exit status alone says so; postconf(1) may end as well, so nothing can be told."""
    parameters = HOSTS[case]
    instance = postfix_instance(
        _write(tmp_path, parameters), servers={}, is_started=False, overrides=dict.fromkeys(parameters)
    )
    age_files(instance.config_directory)
    unknown = captured(instance.config_directory).cannot_tell
    told = _told(instance, HostFacts())
    assert next(iter(parameters)) in unknown or {(each.harm, each.program) for each in told} == {
        (Harm.ENDS, EVERY_PROGRAM),
    }
    with pytest.raises(BootError):
        instance.start_as_it_is()


def test_an_index_that_grows_past_its_limit_loses_keys(tmp_path: Path) -> None:
    """postmap(1) says nothing of it, and finds all of them where the limit is larger."""
    keys = [sha256(str(number).encode()).digest().hex(":").upper() for number in range(40_000)]
    (tmp_path / "rows").write_text("".join(f"{key} x\n" for key in keys))
    (tmp_path / "master.cf").write_text("25 inet n - y - - smtpd\n")
    table = f"lmdb:{tmp_path}/rows"
    for limit, is_lost in ((16_777_216, False), (4_194_304, True)):
        _write(tmp_path, {"lmdb_map_size": str(limit)})
        age_files(tmp_path)
        (tmp_path / "rows.lmdb").unlink(missing_ok=True)
        made = run(["postmap", "-c", str(tmp_path), table], capture_output=True, text=True, check=True)
        size = (tmp_path / "rows.lmdb").stat().st_size
        asked = ["postmap", "-c", str(tmp_path), "-q", "-", table]
        found = run(asked, input="\n".join(keys), capture_output=True, text=True, check=False).stdout.splitlines()
        told, _ = faults_of(captured(tmp_path), {}, HostFacts(table_bytes={table: size}))
        assert (made.stderr, len(found) < len(keys), [each.harm for each in told]) == (
            *("", is_lost),
            [Harm.REFUSES] * is_lost,
        )
