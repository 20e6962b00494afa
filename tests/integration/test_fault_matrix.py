"""What leaves a service broken or weaker although no command says a word: refused or undone, with the reason, by `up`.

Each fault meets the program as it ships and, where the running service can show it, one without the trial run.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.support.loopback import free_ports, until
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.relay import BOB, NEW, OLD, SERVERS, Relay, declared, failure_of
from tests.support.smtp_probe import probe

pytestmark = [pytest.mark.needs_postfix, pytest.mark.needs_openssl, pytest.mark.takes_long]

AS_BEFORE = "nothing was changed|all files are as they were before, and Postfix answers as it did"


@pytest.fixture
def relay(started: Relay) -> Iterator[Relay]:
    """Return it as OLD says; afterwards main.cf and master.cf of its administrator are as they were."""
    started.session.has_trial = True
    started.session.before()
    started.up(OLD)
    assert started.is_old()
    files = [started.instance.config_directory / name for name in ("main.cf", "master.cf")]
    before = {path: path.read_bytes() for path in files}
    yield started
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)
            os.utime(path, (1, 1))
    started.instance.command("postfix", "-c", started.session.root, "reload")


@dataclass(frozen=True)
class Fault:
    """What is declared, or what the administrator has written into main.cf or as options of the only server."""

    parameters: dict[str, str] = field(default_factory=dict)
    main_cf: str = ""
    options: str = ""


FAULTS = {
    "16: restrictions of a server instead of ours": Fault(options="smtpd_relay_restrictions=permit_mynetworks,reject"),
    "a server that refuses all clients": Fault(options="smtpd_client_restrictions=reject"),
    "a server that refuses all senders": Fault(options="smtpd_sender_restrictions=reject"),
    "a server that asks for no certificate": Fault(options="smtpd_tls_ask_ccert=no"),
    "a server without TLS": Fault(options="smtpd_tls_security_level=none"),
    "a server with a chain of its own that is not there": Fault(options="smtpd_tls_chain_files=/nonexistent"),
    "a server that knows clients by another digest": Fault(options="smtpd_tls_fingerprint_digest=sha1"),
    "a server that looks in another table": Fault(options="relay_clientcerts=static:"),
    "a server with a boolean that is none": Fault(options="smtpd_helo_required=maybe"),
    "20: interfaces of another host": Fault({"inet_interfaces": "192.0.2.77"}),
    "protocols that do not exist": Fault({"inet_protocols": "ipv7"}),
    "23: a boolean that is none": Fault({"smtpd_sasl_auth_enable": "maybe"}),
    "24: a number that is none": Fault({"smtpd_client_connection_count_limit": "abc"}),
    "a time that is none": Fault({"smtpd_timeout": "5 parsecs"}),
    "a number that is too small": Fault({"smtpd_hard_error_limit": "-1"}),
    "27: a list of the administrator": Fault(main_cf="smtpd_client_restrictions = reject\n"),
    "an unknown word in a list of the administrator": Fault(main_cf="smtpd_helo_restrictions = rejekt\n"),
    "45: an unknown restriction": Fault({"smtpd_recipient_restrictions": "reject_all_others"}),
    "a restriction without what it needs": Fault({"smtpd_recipient_restrictions": "check_recipient_access"}),
    "restrictions that refuse nobody": Fault({"smtpd_relay_restrictions": "permit"}),
    "an owner of the mail who does not exist": Fault({"mail_owner": "nobody_of_this_name"}),
}
# The running service shows these, so that they are undone where no trial run finds them.
SHOWN = [
    "20: interfaces of another host",
    "23: a boolean that is none",
    "a time that is none",
    "45: an unknown restriction",
]


def put(relay: Relay, fault: Fault, *, service: str = "127.0.0.1:") -> None:
    """Write what the administrator has written; Postfix is not told."""
    main_cf, master_cf = (relay.instance.config_directory / name for name in ("main.cf", "master.cf"))
    main_cf.write_text(main_cf.read_text() + fault.main_cf)
    if fault.options:
        text = master_cf.read_text()
        line = rf"(?m)^({re.escape(service)}\S* +inet .*\n)"
        assert re.search(line, text)
        master_cf.write_text(re.sub(line, rf"\1  -o {fault.options}\n", text))
    for path in (main_cf, master_cf):
        os.utime(path, (1, 1))


def is_refused(relay: Relay, fault: Fault) -> str:
    """Deploy with a fault; return what is said, after all is seen to be as it was, and the fault to be the reason."""
    put(relay, fault)
    before = relay.content()
    desired = declared(SERVERS[1], BOB, **fault.parameters)
    said = failure_of(lambda: relay.up(desired, served=SERVERS[1]))
    assert re.search(AS_BEFORE, said), said
    assert relay.content() == before
    assert relay.leftovers() == []
    return said


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_no_command_finds_never_ends_well(relay: Relay, name: str) -> None:
    """As the program ships; the reason is told, and the service does what it did, unless others have spoilt it."""
    said = is_refused(relay, FAULTS[name])
    assert len(said) > len("nothing was changed")
    if not FAULTS[name].main_cf:
        assert relay.is_old()


@pytest.mark.parametrize("name", SHOWN)
def test_a_fault_that_only_the_running_service_shows_is_undone(relay: Relay, name: str) -> None:
    """Without a trial run, as on a host where none is possible."""
    relay.session.has_trial = False
    relay.session.before()
    is_refused(relay, FAULTS[name])
    assert relay.is_old()


def test_without_a_fault_the_same_deployment_succeeds(relay: Relay) -> None:
    """The control: an option, a line and a parameter more are no fault by themselves."""
    put(relay, Fault(options="smtpd_helo_required=no", main_cf="smtpd_client_restrictions = permit\n"))
    relay.up(declared(SERVERS[1], BOB, smtpd_sasl_auth_enable="no"), served=SERVERS[1])
    assert relay.is_new()


@pytest.fixture
def other(postfix_instance: Boot, tmp_path_factory: pytest.TempPathFactory) -> PostfixInstance:
    """Return a second instance, with a configuration directory of its own."""
    rendered = tmp_path_factory.mktemp("other")
    (rendered / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mx2.example.org\n")
    return postfix_instance(rendered)


def test_listeners_of_each_kind_are_proven_and_a_fault_of_one_is_seen(relay: Relay, other: PostfixInstance) -> None:
    """IPv6, `submission` and `submissions` by their names; an instance beside hears nothing of it all."""
    by_ipv6 = f"[::1]:{next(free_ports())}"
    # An address of this test alone, as the ports are those of everybody.
    address = f"127.{os.getpid() % 200 + 1}.{os.getpid() // 200 % 200}.77"
    listeners = {by_ipv6: "starttls", f"{address}:submission": "starttls", f"{address}:submissions": "smtps"}
    options = {"starttls": "smtpd_tls_security_level=encrypt", "smtps": "smtpd_tls_wrappermode=yes"}
    main_cf, master_cf = (relay.instance.config_directory / name for name in ("main.cf", "master.cf"))
    main_cf.write_text(main_cf.read_text() + "inet_protocols = all\n")
    lines = [f"{name} inet n - y - - smtpd\n  -o {options[mode]}\n" for name, mode in listeners.items()]
    master_cf.write_text(master_cf.read_text() + "".join(lines))
    for path in (main_cf, master_cf):
        os.utime(path, (1, 1))
    relay.instance.command("postfix", "-c", relay.session.root, "reload")
    beside, mark = (other.config_directory / "main.cf").read_bytes(), other.mark()

    outcome = relay.up(NEW)
    servers = {each.fields[0]: each.fields for each in outcome.evidence if each.kind == "server"}
    said = f"tls {SERVERS[1].fingerprint_sha256}"
    assert {name: servers[name][1:3] for name in listeners} == {name: (mode, said) for name, mode in listeners.items()}
    told = {(each.fields[0], each.fields[1]): each.fields[2] for each in outcome.evidence if each.kind == "answer"}
    for name in listeners:
        assert [code for code in told[name, "listed"].split(" | ") if not code.startswith("250")] == [], name
        assert not told[name, "unlisted"].startswith("250"), name

    for name in listeners:
        text = master_cf.read_text()
        put(relay, Fault(options="smtpd_helo_required=maybe"), service=name)
        before = relay.content()
        refusal = failure_of(lambda: relay.up(OLD))
        assert re.search(AS_BEFORE, refusal), refusal
        assert name in refusal, refusal
        assert relay.content() == before
        assert relay.is_new()
        master_cf.write_text(text)
        os.utime(master_cf, (1, 1))
    relay.up(OLD)
    assert relay.is_old()
    assert ((other.config_directory / "main.cf").read_bytes(), other.log_since(mark)) == (beside, "")
    assert until(lambda: probe(other.port).mail_from, 10)
