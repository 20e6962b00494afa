"""The new configuration run beside a real Postfix before anything is changed: what it finds, and what it leaves."""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from postfix.deploy.host_files import HostFiles
from postfix.deploy.program_result import Evidence
from postfix.deploy.transaction import Reloading
from postseal_core.files.tree import FileEntry
from tests.support.loopback import free_ports, until
from tests.support.relay import ALICE, BOB, NEW, OLD, SERVERS, SHELLS, Relay, declared, failure_of

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl]


@pytest.fixture
def relay(started: Relay) -> Iterator[Relay]:
    """Return it as OLD says; afterwards main.cf and master.cf of its administrator are as they were."""
    started.session.use("/bin/sh")
    started.session.before()
    started.up(OLD)
    files = [started.instance.config_directory / name for name in ("main.cf", "master.cf")]
    before = {path: path.read_bytes() for path in files}
    yield started
    started.session.before()
    started.up(OLD)
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
            os.utime(path, (1, 1))
    if started.instance.master_pid() is None:
        started.instance.start()


def beside(relay: Relay) -> set[str]:
    """Return the processes that work in what is staged; also in what is removed already."""
    place = f"{relay.session.root}/.postseal"
    found = set()
    for path in Path("/proc").glob("[0-9]*/cwd"):
        with suppress(OSError):
            if str(path.readlink()).startswith(place):
                found.add(path.parent.name)
    return found


def listens(relay: Relay, processes: set[str]) -> bool:
    """Return whether one of some processes has a port."""
    said = relay.instance.command("ss", "-Htlnp").stdout
    return any(f"pid={each}," in said for each in processes)


def told(evidence: tuple[Evidence, ...]) -> dict[tuple[str, str], str]:
    """Return what each kind of client was told by each server."""
    return {(each.fields[0], each.fields[1]): each.fields[2] for each in evidence if each.kind == "answer"}


def add(relay: Relay, name: str, text: str) -> None:
    """Have the administrator add lines to a file, and not tell Postfix."""
    path = relay.instance.config_directory / name
    path.write_text(path.read_text() + text)
    os.utime(path, (1, 1))


@dataclass(frozen=True)
class Fault:
    """What is wrong with a deployment or with a host, and what the refusal says of it."""

    says: str
    parameters: dict[str, str] = field(default_factory=dict)
    chain: str = ""
    main_cf: str = ""
    options: str = ""


FAULTS = {
    "no boolean": Fault("bad boolean configuration: smtpd_helo_required = yess", {"smtpd_helo_required": "yess"}),
    "no number": Fault(
        "bad numerical configuration: smtpd_client_connection_count_limit = abc",
        {"smtpd_client_connection_count_limit": "abc"},
    ),
    "an unknown restriction": Fault(
        "no server lets a listed client relay: .* 451 4.3.5 Server configuration error",
        {"smtpd_recipient_restrictions": "reject_everybody_else"},
    ),
    "an unknown map": Fault(
        "no server lets a listed client relay: .* 451 4.3.[05]",
        {"smtpd_recipient_restrictions": "check_recipient_access nonesuch:/x"},
    ),
    "a network that holds strangers": Fault(
        "lets anybody relay: to a stranger .unlisted. it says 250",
        {"mynetworks": "203.0.113.0/24", "smtpd_relay_restrictions": "permit_mynetworks, reject"},
    ),
    "a mistake of the administrator that Postfix has not read": Fault(
        "bad boolean configuration: smtpd_helo_required = yess", main_cf="smtpd_helo_required = yess\n"
    ),
    "a list of the administrator that refuses everybody": Fault(
        "no server lets a listed client relay: .* 554 5.7.1", main_cf="smtpd_client_restrictions = reject\n"
    ),
    "a chain that is not there": Fault("cannot do TLS: .*/nonexistent", {"smtpd_tls_chain_files": "/nonexistent"}),
    "a chain that is none": Fault("cannot do TLS: .*mx1.pem", chain="no key at all\n"),
    "TLS that is demanded in main.cf only": Fault(
        "smtpd_tls_security_level = encrypt is declared, and no server demands TLS",
        {"smtpd_tls_security_level": "encrypt"},
        options="  -o smtpd_tls_security_level=may\n",
    ),
}


def with_fault(fault: Fault) -> HostFiles:
    """Return NEW with a fault of the declaration."""
    desired = declared(SERVERS[1], BOB, **fault.parameters)
    files = (FileEntry("tls/mx1.pem", fault.chain.encode(), 0o400),) if fault.chain else desired.files
    return replace(desired, files=files)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_no_command_finds_is_refused_before_anything_is_changed(relay: Relay, fault: str) -> None:
    """The refusal names it, the service answers as before, nothing stays; without the fault all is well."""
    wrong = FAULTS[fault]
    if wrong.main_cf:
        add(relay, "main.cf", wrong.main_cf)
    if wrong.options:
        path = relay.instance.config_directory / "master.cf"
        text = path.read_text()
        path.write_text(re.sub(r"(?m)^(127\S+ +inet.*\n)", rf"\1{wrong.options}", text))
        assert path.read_text() != text
    before = relay.content()
    said = failure_of(lambda: relay.up(with_fault(wrong), served=SERVERS[1]))
    assert re.search(wrong.says, said), said
    assert "run beside" in said
    assert said.endswith("nothing was changed")
    assert (relay.content(), beside(relay), relay.leftovers()) == (before, set(), [])
    assert relay.ask(ALICE).may_relay or wrong.main_cf
    if wrong.main_cf or wrong.options:
        path = relay.instance.config_directory / ("main.cf" if wrong.main_cf else "master.cf")
        path.write_text(path.read_text().replace(wrong.main_cf or wrong.options, ""))
        os.utime(path, (1, 1))
    relay.up(NEW)
    assert relay.is_new()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_stranger_is_refused_and_a_listed_one_is_not_and_nothing_stays(relay: Relay, shell: str) -> None:
    """By IPv4 and IPv6, with TLS and without; no mail was made, and the key that was listed is nowhere."""
    path = SHELLS[shell]
    if path is None:
        pytest.skip(f"{shell} is not here")
    relay.session.use(path)
    add(relay, "main.cf", "inet_protocols = all\n")
    outcome = relay.up(NEW)
    answers = {who: said for (_, who), said in told(outcome.evidence).items()}
    assert {who: [each[:3] for each in said.split(" | ")] for who, said in answers.items()} == {
        "listed": ["250", "250"],
        "unlisted": ["554", "554"],
        "none": ["554"],
        "plain": ["554"],
    }
    assert Evidence("trial", ("tried", "1")) in outcome.evidence
    assert (beside(relay), relay.leftovers()) == (set(), [])
    assert b"postseal-probe" not in (relay.instance.config_directory / "relay_clientcerts").read_bytes()
    assert b"postseal-probe" not in (relay.instance.config_directory / "relay_clientcerts.db").read_bytes()
    assert relay.is_new()


@pytest.mark.parametrize("kind", ["hash", "lmdb", "texthash"])
def test_rows_alone_are_not_tried_out_and_each_type_of_table_takes_a_row_more(relay: Relay, kind: str) -> None:
    """The first deployment of a type is; the second one only has other rows."""
    first = relay.up(declared(SERVERS[1], ALICE, kind=kind), served=SERVERS[1])
    assert [said[:3] for (_, who), said in told(first.evidence).items() if who == "listed"] == ["250"]
    second = relay.up(declared(SERVERS[1], BOB, kind=kind), served=SERVERS[1])
    assert [each.fields[0] for each in second.evidence if each.kind == "trial"] == ["not needed"]
    assert second.reloading is Reloading.DONE


@pytest.mark.parametrize("afterwards", ["the same plan", "another mind"])
def test_a_kill_while_it_runs_beside_leaves_nothing_after_the_next_run(relay: Relay, afterwards: str) -> None:
    """The second Postfix goes on for a while, and the next run ends it, whether it changes anything or not."""
    relay.session.before("trying")
    failure_of(lambda: relay.up(NEW))
    assert listens(relay, beside(relay))
    assert relay.is_old()
    relay.session.before()
    relay.up(NEW if afterwards == "the same plan" else OLD)
    assert until(lambda: not beside(relay), 5)
    assert relay.leftovers() == []
    assert relay.is_new() if afterwards == "the same plan" else relay.is_old()


def test_where_it_cannot_be_told_nothing_is_claimed(relay: Relay) -> None:
    """A policy server is not asked, and a directory that nobody may enter holds no queue; both are deployed to."""
    asks = {
        "smtpd_recipient_restrictions": "check_policy_service inet:127.0.0.1:9, permit",
        "smtpd_policy_service_default_action": "DUNNO",
        "smtpd_policy_service_try_limit": "1",
    }
    outcome = relay.up(declared(SERVERS[0], ALICE, **asks), served=SERVERS[0])
    assert [each.fields[1:] for each in outcome.evidence if each.kind == "answer"] == [
        ("not tried", "a policy server would be asked")
    ]
    relay.instance.config_directory.chmod(0o700)
    try:
        outcome = relay.up(NEW)
    finally:
        relay.instance.config_directory.chmod(0o755)
    (said,) = [each.fields for each in outcome.evidence if each.kind == "trial"]
    assert said == ("not tried", f"nobody but its owner may enter {relay.session.root}")
    assert relay.is_new()


def test_listeners_of_ipv6_and_port_465_are_asked_like_others(relay: Relay) -> None:
    """Before and after the reload, with protocol, cipher and group."""
    by_ipv6, wrapped = next(free_ports()), next(free_ports())
    add(relay, "main.cf", "inet_protocols = all\n")
    add(
        relay,
        "master.cf",
        f"[::1]:{by_ipv6} inet n - y - - smtpd\n  -o smtpd_tls_security_level=encrypt\n"
        f"127.0.0.1:{wrapped} inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n",
    )
    relay.instance.command("postfix", "-c", relay.session.root, "reload")
    outcome = relay.up(NEW)
    answers = told(outcome.evidence)
    assert answers[f"[::1]:{by_ipv6}", "plain"].startswith("530")
    assert answers[f"127.0.0.1:{wrapped}", "listed"].startswith("250")
    assert (f"127.0.0.1:{wrapped}", "plain") not in answers
    servers = {each.fields[0]: each.fields for each in outcome.evidence if each.kind == "server"}
    said = f"tls {SERVERS[1].fingerprint_sha256}"
    assert servers[f"[::1]:{by_ipv6}"][1:3] == ("starttls", said)
    assert servers[f"127.0.0.1:{wrapped}"][1:3] == ("smtps", said)
    assert all("TLSv1.3" in each[4] for each in servers.values())
    assert Evidence("plain", (f"[::1]:{by_ipv6}", "yes")) in outcome.evidence
    with socket.create_connection(("::1", by_ipv6), 10) as connection:
        assert connection.recv(100).startswith(b"220")
        outcome = relay.up(declared(SERVERS[1], ALICE), served=SERVERS[1])
        (cut,) = [each.fields for each in outcome.evidence if each.kind == "sessions"]
        # Where a kernel cannot end a connection of others, it is said to be open.
        assert cut in (("1", "0"), ("0", "1"))


MASTER_CF = """\
# As a package of Debian has it, with what others add.
smtp      inet  n       -       y       -       1       postscreen
smtpd     pass  -       -       y       -       -       smtpd
dnsblog   unix  -       -       y       -       0       dnsblog
tlsproxy  unix  -       -       y       -       0       tlsproxy
submission inet n       -       y       -       -       smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
# a remark inside
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o { smtpd_milters = inet:127.0.0.1:9 }
127.0.0.1:10025 inet n  -       n       -       -       smtpd
  -o smtpd_tls_security_level=none -o mynetworks=127.0.0.0/8
  -o smtpd_relay_restrictions=permit_mynetworks,reject
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
pickup    unix  n       -       y       60      1       pickup
cleanup   unix  n       -       y       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
tlsmgr    unix  -       -       y       1000?   1       tlsmgr
rewrite   unix  -       -       y       -       -       trivial-rewrite
proxymap  unix  -       -       n       -       -       proxymap
anvil     unix  -       -       y       -       1       anvil
smtp      unix  -       -       y       -       -       smtp
policy    unix  -       n       n       -       0       spawn user=nobody argv=/bin/false
postlog   unix-dgram n  -       n       -       1       postlogd
"""


def test_a_host_as_others_have_it_is_tried_out_without_its_neighbours(relay: Relay) -> None:
    """Postscreen in front, users' passwords, a milter, a way back from a filter: none of these is there, nor asked."""
    relay.instance.stop()
    add(
        relay,
        "main.cf",
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n"
        "smtpd_milters = unix:/nonexistent\nmilter_default_action = tempfail\n"
        "# smtpd_recipient_restrictions = check_policy_service unix:private/policy\n"
        f"virtual_alias_maps = hash:{relay.session.root}/relay_clientcerts\n",
    )
    (relay.instance.config_directory / "master.cf").write_text(MASTER_CF)
    outcome = relay.up(declared(SERVERS[1], BOB))
    assert outcome.reloading is Reloading.NOT_RUNNING
    assert Evidence("trial", ("tried", "3")) in outcome.evidence
    answers = {place: said[:3] for place, said in told(outcome.evidence).items()}
    assert answers == {
        ("smtpd", "listed"): "250",
        ("smtpd", "unlisted"): "554",
        ("smtpd", "none"): "554",
        ("smtpd", "plain"): "554",
        ("submission", "listed"): "554",
        ("submission", "unlisted"): "554",
        ("submission", "none"): "554",
        ("submission", "plain"): "530",
        ("127.0.0.1:10025", "plain"): "554",
        ("127.0.0.1:10025", "not tried"): "it ",
    }
