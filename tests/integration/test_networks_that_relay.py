"""Postfix reads each network that a host lets relay as a reader does: its last address is in, the next one is not."""

import smtplib
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from postfix.networks import fault_of_network, network_of
from postfix.settings import RelayPolicy
from tests.support.postfix_instance import Boot

pytestmark = pytest.mark.needs_postfix

NETWORKS = (
    *("10.0.0.0/8", "192.0.2.128/25", "198.51.100.7", "198.51.100.64/32", "172.16.0.0/12"),
    *(
        "[2001:db8:1::]/48",
        "[2001:db8:2::7]",
        "[2001:db8:3::7]/128",
        "[fe80::]/10",
        "[::1]/128",
        "[2001:db8:4:8000::]/49",
    ),
)
WIDE = ("203.0.0.0/16", "[2001:db9::]/32")
GREETING, ACCEPTED, DEFERRED, DENIED = 220, 250, 451, 554


def write_main_cf(directory: Path, mynetworks: str) -> Path:
    """Write a host that relays for these networks only."""
    directory.mkdir()
    restrictions = ", ".join(RelayPolicy(networks=NETWORKS, client_certificates=False).restrictions)
    (directory / "main.cf").write_text(
        "compatibility_level = 3.6\nmyhostname = mx1.example.test\nmydestination =\n"
        f"mynetworks = {mynetworks}\nsmtpd_relay_restrictions = {restrictions}\n"
        "smtpd_authorized_xclient_hosts = 127.0.0.1\n"
    )
    return directory


def answer_to(port: int, address: IPv4Address | IPv6Address) -> int:
    """Return what a host of this address is told when it relays (XCLIENT says whom a session stands for)."""
    said = f"IPV6:{address}" if address.version == 6 else str(address)
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as smtp:
        smtp.ehlo()
        assert smtp.docmd("XCLIENT", f"NAME=client.example ADDR={said}")[0] == GREETING
        smtp.ehlo()
        smtp.mail("sender@example.net")
        return smtp.rcpt("someone@elsewhere.example")[0]


def test_postfix_lets_in_whom_we_read_and_nobody_beside(tmp_path: Path, postfix_instance: Boot) -> None:
    """Both ends of each network relay, and the addresses just outside do not."""
    directory = write_main_cf(tmp_path / "mx1", " ".join(RelayPolicy(networks=NETWORKS, wide_networks=WIDE).mynetworks))
    instance = postfix_instance(directory, overrides={"mynetworks": None, "inet_protocols": "all"})
    inside, outside = {}, {}
    for text in (*NETWORKS, *WIDE):
        network = network_of(text)
        assert network is not None
        first, last = network.network_address, network.broadcast_address
        inside[text] = {answer_to(instance.port, first), answer_to(instance.port, last)}
        outside[text] = {answer_to(instance.port, first - 1), answer_to(instance.port, last + 1)}
    assert inside == {text: {ACCEPTED} for text in inside}
    assert outside == {text: {DENIED} for text in outside}


@pytest.mark.parametrize("text", ["192.0.2.0/255.255.255.0", "192.0.2.1/24", "2001:db8::/32"])
def test_postfix_answers_everybody_with_an_error_where_we_refuse(
    tmp_path: Path, postfix_instance: Boot, text: str
) -> None:
    """Why there is one notation: a host that is in no network and one that is meant are both put off."""
    assert fault_of_network(text)
    instance = postfix_instance(write_main_cf(tmp_path / "mx1", text), overrides={"mynetworks": None})
    assert answer_to(instance.port, ip_address("192.0.2.7")) == DEFERRED
    assert answer_to(instance.port, ip_address("198.51.100.7")) == DEFERRED
