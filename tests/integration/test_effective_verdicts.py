"""What is told of a host from its own configuration is what a booted Postfix does with a stranger, IPv4 and IPv6."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from postfix.effective.visitors import Kind, Visitor
from postfix.restriction_walk import Verdict
from tests.support.judged_host import HostAnswers, captured
from tests.support.postfix_instance import Boot
from tests.support.xclient_probe import rcpt_code_as

pytestmark = pytest.mark.needs_postfix

DOMAIN = "elsewhere.test"
ADDRESSES = {"203.0.113.7": "203.0.113.7", "2001:db8::7": "IPV6:2001:db8::7"}
TO_OTHERS = "reject_unauth_destination"
RELAY, CLIENT, SENDER = (f"smtpd_{name}_restrictions" for name in ("relay", "client", "sender"))
SERVERS: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    "wide": {"mynetworks": "203.0.113.0/24"},
    "wide6": {"mynetworks": "[2001:db8::]/32"},
    "not6": {"mynetworks": "![2001:db8::7] [2001:db8::]/32 203.0.113.0/24"},
    "netmask": {"mynetworks": "203.0.113.0/255.255.255.0"},
    "bits": {"mynetworks": "203.0.113.7/24"},
    "match-first": {"mynetworks": "203.0.113.7 10.0.0.1/8"},
    "bare6": {"mynetworks": "2001:db8::7"},
    "domain": {"relay_domains": DOMAIN},
    "above": {"relay_domains": "test"},
    "all": {"relay_domains": "static:all"},
    "alias": {"virtual_alias_maps": "hash:/nonexistent/table"},
    "alias-unchecked": {
        "virtual_alias_maps": "hash:/nonexistent/table",
        "mynetworks": "203.0.113.7",
        "receive_override_options": "no_unknown_recipient_checks",
    },
    "client-ok": {CLIENT: "check_client_access static:ok,reject"},
    "client-no": {CLIENT: "static:reject", "mynetworks": "203.0.113.7"},
    "bare-ok": {RELAY: f"static:ok,{TO_OTHERS}"},
    "missing": {CLIENT: "check_client_access hash:/nonexistent/table", "mynetworks": "203.0.113.7"},
    "warned-missing": {CLIENT: "warn_if_reject,hash:/nonexistent/table", "mynetworks": "203.0.113.7"},
    "unknown": {CLIENT: "no_such_name", "mynetworks": "203.0.113.7"},
    "warned-unknown": {CLIENT: "warn_if_reject,no_such_name", "mynetworks": "203.0.113.7"},
    "class": {RELAY: f"open,{TO_OTHERS}", "smtpd_restriction_classes": "open", "open": "PERMIT"},
    "bare-class": {RELAY: f"open,{TO_OTHERS}", "smtpd_restriction_classes": "open", "open": "static:ok"},
    "deferred": {SENDER: "defer_if_permit", "mynetworks": "203.0.113.7"},
    "warned": {SENDER: "warn_if_reject,reject", "mynetworks": "203.0.113.7"},
    "certificates": {RELAY: f"permit_tls_clientcerts,permit_tls_all_clientcerts,{TO_OTHERS}"},
    "mx": {RELAY: f"check_sender_mx_access static:ok,{TO_OTHERS}"},
    "transport": {"mynetworks": "203.0.113.7", "transport_maps": "hash:/nonexistent/table"},
    "reference": {"mynetworks": "$nets", "nets": "203.0.113.0/24"},
}


def is_taken(address: str, port: int) -> bool:
    """Return whether a stranger's mail would be taken; whoever is sent away earlier is refused as well."""
    try:
        return rcpt_code_as(address, port, f"someone@{DOMAIN}") == 250
    except (AssertionError, ValueError, OSError):
        return False


def test_verdicts_on_a_stranger_are_what_postfix_does(tmp_path: Path, postfix_instance: Boot) -> None:
    """No wrong permission and no wrong refusal; both occur."""
    main_cf = {
        "compatibility_level": "3.6",
        "mydestination": "mx1.example.test",
        "mynetworks": "127.0.0.0/8",
        "smtpd_authorized_xclient_hosts": "127.0.0.1",
        "smtpd_peername_lookup": "no",
    }
    (tmp_path / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in main_cf.items()))
    # On loopback of IPv4, and yet told through XCLIENT of clients that come by IPv6.
    servers = {name: {**options, "inet_protocols": "all"} for name, options in SERVERS.items()}
    instance = postfix_instance(tmp_path, servers=servers)
    configuration = captured(instance.config_directory)
    wrong, seen = {}, set()
    for address, spelled in ADDRESSES.items():
        visitor = Visitor(kind=Kind.PLAIN, address=address, domain=DOMAIN)
        judgements = HostAnswers(instance.config_directory, {}).judge(configuration, [visitor])
        by_port = {each.listener.removesuffix("/inet").rpartition(":")[2]: each for each in judgements}
        for name, port in instance.ports.items():
            found = by_port[str(port)]
            real = Verdict.PERMIT if is_taken(spelled, port) else Verdict.REFUSE
            seen.add((real, found.verdict))
            if found.verdict not in (real, Verdict.CANNOT_TELL):
                wrong[name, address] = (found, real)
    assert wrong == {}
    assert {(Verdict.PERMIT, Verdict.PERMIT), (Verdict.REFUSE, Verdict.REFUSE)} <= seen
