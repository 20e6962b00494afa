"""Servers asked straight, as a stranger: what counts is what was reached, and from loopback only a refusal."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postfix.deploy import straight_probe
from postfix.deploy.straight_probe import asked_straight, own_addresses, straight_answers
from tests.support.loopback import free_ports
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.relay import MAIN_CF
from tests.support.test_authority import ThrowAwayAuthority

SERVER = ThrowAwayAuthority("Example Mail CA").issue_server("mx1.example.org")
TLS = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = $config_directory/mx1.pem\n"
STRANGERS_MAY_NOT = "smtpd_relay_restrictions = reject_unauth_destination\n"


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostfixInstance]:
    """Return a Postfix that refuses strangers, on one port with TLS from the first byte, on one lets all in."""
    rendered = tmp_path_factory.mktemp("rendered")
    (rendered / "main.cf").write_text(MAIN_CF + TLS + STRANGERS_MAY_NOT)
    (rendered / "mx1.pem").write_text(SERVER.chain_pem)
    servers = {
        "smtpd": {},
        "smtps": {"smtpd_tls_wrappermode": "yes"},
        "open": {"smtpd_relay_restrictions": "permit_mynetworks, reject", "mynetworks": "127.0.0.0/8"},
        "plain": {"smtpd_tls_security_level": "none"},
    }
    with boot(rendered, servers=servers) as running:
        yield running


@pytest.mark.needs_postfix
def test_a_server_is_seen_as_a_stranger_sees_it(instance: PostfixInstance) -> None:
    """What it serves, by STARTTLS, from the first byte, or not at all, and its reply to a recipient elsewhere."""
    for name, mode in (("smtpd", "starttls"), ("smtps", "smtps"), ("plain", "starttls")):
        found = asked_straight("127.0.0.1", instance.ports[name], mode)
        assert found
        assert found.fingerprint_sha256 == ("" if name == "plain" else SERVER.fingerprint_sha256)
        assert found.reply.startswith("554 5.7.1 <postseal-probe@elsewhere.invalid>: Relay access denied")
        assert found.address == f"127.0.0.1:{instance.ports[name]}"


@pytest.mark.needs_postfix
def test_from_loopback_only_a_refusal_counts(instance: PostfixInstance) -> None:
    """Who is let in there may be so by mynetworks; and who is refused is the control."""
    ports = [instance.ports["smtpd"], instance.ports["open"]]
    accepted = asked_straight("127.0.0.1", ports[1], "starttls")
    assert accepted
    assert accepted.reply.startswith("250")
    servers = [(f"127.0.0.1:{port}", "starttls") for port in ports]
    assert [each.address for each in straight_answers(["localhost"], servers)] == [f"127.0.0.1:{ports[0]}"]


@contextmanager
def silent() -> Iterator[int]:
    """Give a port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_what_is_not_reached_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port, a silent one, a name of another machine or of none, a port of no known name."""
    monkeypatch.setattr(straight_probe, "_CONNECT_SECONDS", 0.2)
    assert asked_straight("127.0.0.1", next(free_ports()), "starttls") is None
    with silent() as port:
        assert asked_straight("127.0.0.1", port, "starttls") is None
        assert asked_straight("127.0.0.1", port, "smtps") is None
    assert straight_answers(["192.0.2.1", "nowhere.invalid", "not a name", "x" * 300], [("127.0.0.1:25", "x")]) == ()
    assert straight_answers(["localhost"], [("127.0.0.1:gopher", "starttls")]) == ()
    assert own_addresses("127.0.0.1") == ("127.0.0.1",)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no time limit of its own."""
    monkeypatch.setattr(straight_probe, "_RESOLVE_SECONDS", 0.1)
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30) and [])
    try:
        assert own_addresses("mx1.example.org") == ()
    finally:
        ended.set()


def test_no_key_is_read_by_whoever_asks_straight() -> None:
    """It has none to show."""
    text = Path(straight_probe.__file__).read_text()
    assert "load_cert_chain" not in text
