"""What is refused of sending, since Postfix would defer the mail or pass over the declaration without a word."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.host import ClientSide, HostDeclaration, Ownership
from postfix.next_hops import next_hops_of
from postfix.parameters import PostfixVersion
from postfix.preflight import problems_of_host
from postfix.receiving import LookupTable, Maps
from postfix.rendering import render_configuration_files, render_parameters, render_services_of
from postfix.settings import ClientSettings, DestinationPolicy, Transport

BY_NAME, BY_ADDRESS = "[mx1.example.org]:587", "[192.0.2.1]:587"
SECURE = {"smtp_tls_security_level": "secure"}
PRINT = ":".join(["AA"] * 32)


def sending(relayhost: str = "", *policies: DestinationPolicy, **settings: object) -> HostDeclaration:
    """Return a whole host that only sends."""
    client = ClientSettings(relayhost=relayhost, policies=policies, **settings)  # type: ignore[arg-type]
    return HostDeclaration("out", "out.example.org", client=ClientSide(client))


def wrong(host: HostDeclaration) -> dict[str, str]:
    """Return what is wrong by its place."""
    return {problem.path: problem.message for problem in problems_of_host(host)}


def to(next_hop: str, level: str = "secure", **fields: object) -> HostDeclaration:
    """Return a host with one transport."""
    transport = Transport("t-a", ("example.net",), "", level, next_hop=next_hop, **fields)  # type: ignore[arg-type]
    return sending(transports=(transport,))


@pytest.mark.parametrize(
    ("text", "host", "port", "is_address"),
    [
        ("[mx1.example.org]:587", "mx1.example.org", "587", False),
        ("MX1.example.org", "mx1.example.org", "", False),
        ("mx1.example.org:submissions", "mx1.example.org", "submissions", False),
        ("[192.0.2.1]", "192.0.2.1", "", True),
        ("192.0.2.1:25", "192.0.2.1", "25", True),
        ("[2001:db8::1]:465", "2001:db8::1", "465", True),
        ("[IPv6:2001:db8::1]", "ipv6:2001:db8::1", "", True),
        ("inet:[192.0.2.1]:24", "192.0.2.1", "24", True),
    ],
)
def test_a_next_hop_is_read_as_postfix_reads_it(text: str, host: str, port: str, *, is_address: bool) -> None:
    """Name or address, port, and whether its MX records are left alone."""
    (hop,) = next_hops_of(text)
    assert (hop.host, hop.port, hop.is_address, hop.has_brackets) == (host, port, is_address, "[" in text)


def test_what_only_the_host_knows_is_no_next_hop() -> None:
    """A reference, and a socket of the machine."""
    assert next_hops_of("$relayhost, unix:private/dovecot-lmtp,") == ()
    assert [hop.text for hop in next_hops_of("[a.example]:25, b.example")] == ["[a.example]:25", "b.example"]


@pytest.mark.parametrize("level", ["verify", "secure"])
def test_an_address_is_refused_where_a_name_is_looked_for(level: str) -> None:
    """As relayhost, as next hop of a transport, as destination of a policy; the sentence says how to go on."""
    declared = {"smtp_tls_security_level": level}
    told = wrong(sending(BY_ADDRESS, **declared))
    assert set(told) == {"client.relayhost"}
    assert "name the host as in [mx1.example.org]" in told["client.relayhost"]
    assert set(wrong(to(BY_ADDRESS, level))) == {"client.transports.t-a"}
    policy = DestinationPolicy(BY_ADDRESS, level)  # type: ignore[arg-type]  # a level
    assert set(wrong(sending(BY_ADDRESS, policy))) == {f"client.policies.{BY_ADDRESS}"}


def test_an_address_is_good_where_no_name_is_looked_for_or_one_is_said() -> None:
    """Below verify nothing is compared, at fingerprint the certificate itself, and match gives the name."""
    named = DestinationPolicy(BY_ADDRESS, "secure", ("mx1.example.org",))
    for host in (
        sending(BY_ADDRESS),
        sending(BY_ADDRESS, smtp_tls_security_level="encrypt"),
        sending(BY_ADDRESS, smtp_tls_security_level="fingerprint", smtp_tls_fingerprint_cert_match=(PRINT,)),
        sending(BY_ADDRESS, named, **SECURE),
        sending(BY_ADDRESS, DestinationPolicy(BY_ADDRESS, "encrypt"), **SECURE),
        replace(sending(BY_ADDRESS, **SECURE), parameters={"smtp_tls_secure_cert_match": "mx1.example.org"}),
        to(BY_ADDRESS, match=("mx1.example.org",)),
        sending(BY_NAME, **SECURE),
    ):
        assert wrong(host) == {}


@pytest.mark.parametrize("port", ["465", "submissions", "smtps"])
def test_tls_begins_at_once_where_the_port_says_so(port: str) -> None:
    """In main.cf for all mail, in the service of a transport for its own; elsewhere nothing changes."""
    hop = f"[mx1.example.org]:{port}"
    assert render_parameters(sending(hop, **SECURE))["smtp_tls_wrappermode"] == "yes"
    (*_, service) = render_services_of(to(hop))
    assert dict(service.options)["smtp_tls_wrappermode"] == "yes"
    assert "smtp_tls_wrappermode" not in render_parameters(to(hop))
    assert "smtp_tls_wrappermode" not in render_parameters(sending(BY_NAME, **SECURE))
    (*_, starttls) = render_services_of(to(BY_NAME))
    assert "smtp_tls_wrappermode" not in dict(starttls.options)


def test_a_transport_beside_a_relay_that_begins_with_tls_does_not() -> None:
    """Its service would take main.cf's word for it."""
    transport = Transport("t-a", ("example.net",), next_hop=BY_NAME)
    (*_, service) = render_services_of(sending("[mx1.example.org]:465", **SECURE, transports=(transport,)))
    assert dict(service.options)["smtp_tls_wrappermode"] == "no"


@pytest.mark.parametrize("level", ["none", "may"])
def test_tls_at_once_needs_a_level_that_insists(level: str) -> None:
    """Of all mail, of a transport, and of the policy that replaces either."""
    hop = "[mx1.example.org]:465"
    declared = {"smtp_tls_security_level": level}
    assert set(wrong(sending(hop, **declared))) == {"client.relayhost"}
    assert set(wrong(to(hop, level))) == {"client.transports.t-a"}
    policy = DestinationPolicy(hop, level)  # type: ignore[arg-type]  # a level
    assert set(wrong(sending(hop, policy, **SECURE))) == {"client.relayhost"}
    assert wrong(sending(hop, DestinationPolicy(hop, "encrypt"), **declared)) == {}


def test_a_port_that_begins_with_tls_is_not_waited_at() -> None:
    """Postfix waits for a greeting that never comes; two kinds of port cannot be one way of sending."""
    assert "would wait" in wrong(sending("[a.example]:465", **SECURE, smtp_tls_wrappermode=False))["client.relayhost"]
    both = wrong(sending("[a.example]:465, [b.example]:587", **SECURE, smtp_tls_wrappermode=True))
    assert "does either" in both["client.relayhost"]
    assert set(wrong(sending("[a.example]:465, [b.example]:587", **SECURE))) == {"client.relayhost"}
    assert wrong(sending("[a.example]:2465", **SECURE, smtp_tls_wrappermode=True)) == {}


def test_a_row_of_transport_maps_is_not_sent_the_other_way() -> None:
    """The service smtp does as main.cf says; a transport has a service of its own."""

    def routed(next_hop: str, relayhost: str) -> dict[str, str]:
        maps = Maps(transport_maps=(LookupTable({"example.net": f"smtp:{next_hop}", "example.com": "discard:"}),))
        return wrong(replace(sending(relayhost, **SECURE), maps=maps))

    place = "maps.transport_maps[0].rows.example.net"
    assert set(routed("[mx.example.net]:25", "[mx1.example.org]:465")) == {place}
    assert set(routed("[mx.example.net]:465", BY_NAME)) == {place}
    assert routed("[mx.example.net]:25", BY_NAME) == routed("[mx.example.net]:465", "[mx1.example.org]:465") == {}


@pytest.mark.parametrize("destination", ["[mx1.example.org]", "mx1.example.org", "mx1.example.org:587"])
def test_a_policy_is_named_like_the_next_hop_to_the_last_bracket(destination: str) -> None:
    """Postfix looks the next hop up as it is written, and says nothing where it finds no row."""
    for host in (
        sending(BY_NAME, DestinationPolicy(destination, "encrypt")),
        replace(sending(BY_NAME, DestinationPolicy(destination, "encrypt")), ownership=Ownership.MERGE),
        sending(
            "",
            DestinationPolicy(destination, "encrypt"),
            transports=(Transport("t", ("a.example",), next_hop=BY_NAME),),
        ),
    ):
        told = wrong(host)
        assert set(told) == {f"client.policies.{destination}"}
        assert told[f"client.policies.{destination}"].endswith(f"write {BY_NAME}")


@pytest.mark.parametrize(
    ("next_hop", "policy", "is_looked_up"),
    [
        ("mx.example.org", ".example.org", True),
        ("mx.example.org:587", ".example.org", False),
        ("[mx.example.org]", ".example.org", False),
        ("mx.example.org", ".org", True),
        ("mx.example.org", ".ample.org", False),
    ],
)
def test_a_policy_of_a_parent_domain_is_for_bare_names(next_hop: str, policy: str, *, is_looked_up: bool) -> None:
    """Postfix looks for no parents of a next hop with brackets or a port."""
    found = wrong(sending(next_hop, DestinationPolicy(policy, "encrypt")))
    assert found.keys() == (set() if is_looked_up else {f"client.policies.{policy}"})


@pytest.mark.parametrize(
    ("destination", "policy", "is_looked_up"),
    [
        (".example.net", "a.example.net", True),
        (".example.net", "example.net", False),
        (".example.net", ".a.example.net", True),
        ("a.example.net", ".example.net", True),
        ("a.example.net", "b.example.net", False),
        ("ann@example.net", "example.net", True),
        ("*", "example.net", True),
        ("*", "[mx.example.net]:25", False),
    ],
)
def test_the_next_hop_of_a_row_without_one_is_the_domain_of_the_recipient(
    destination: str, policy: str, *, is_looked_up: bool
) -> None:
    """That of a transport and of a row of transport_maps, also beside a relay for all other mail."""
    declared = DestinationPolicy(policy, "encrypt")
    by_transport = sending(BY_NAME, declared, transports=(Transport("t-a", (destination,), "", "encrypt"),))
    maps = Maps(transport_maps=(LookupTable({destination: "smtp:"}),))
    for host in (by_transport, replace(sending(BY_NAME, declared), maps=maps)):
        assert wrong(host).keys() == (set() if is_looked_up else {f"client.policies.{policy}"})


@pytest.mark.parametrize(
    ("policy", "is_looked_up"),
    [
        ("example.net", True),
        ("[192.0.2.1]", True),
        ("[mx.example.net]", False),
        ("example.net:587", False),
        ("example.net.", False),
    ],
)
def test_without_a_relay_a_policy_is_named_like_a_domain_of_recipients(policy: str, *, is_looked_up: bool) -> None:
    """Nothing leads to the others; on a host whose main.cf has more than ours, something may."""
    host = sending("", DestinationPolicy(policy, "encrypt"))
    assert wrong(host).keys() == (set() if is_looked_up else {f"client.policies.{policy}"})
    assert wrong(replace(host, ownership=Ownership.MERGE)) == {}


def test_a_relay_by_sender_is_not_waited_at_for_a_greeting() -> None:
    """The service smtp begins with STARTTLS, and at port 465 nobody greets."""
    for port, is_good in ((587, True), (465, False)):
        maps = Maps(sender_dependent_relayhost_maps=(LookupTable({"@a.example.org": f"[mx2.example.org]:{port}"}),))
        assert (wrong(replace(sending(BY_NAME), maps=maps)) == {}) == is_good


def test_a_policy_for_a_domain_is_of_no_use_where_all_mail_goes_through_a_relay() -> None:
    """The next hop is the relay then, whoever the mail is for."""
    policy = DestinationPolicy("example.net", "encrypt")
    assert set(wrong(sending(BY_NAME, policy))) == {"client.policies.example.net"}
    by_transport = (Transport("t", ("example.net",)),)
    rows = Maps(transport_maps=(LookupTable({"example.net": "smtp:"}),))
    named = Maps(transport_maps=(LookupTable({"a.example": "smtp:example.net"}),))
    others = Maps(transport_maps=(LookupTable(unknown_table="hash:/etc/postfix/transport"),))
    for host in (
        sending("", policy),
        sending("", DestinationPolicy(".example.net", "encrypt")),
        sending(BY_NAME, policy, transports=by_transport),
        replace(sending(BY_NAME, policy), maps=rows),
        replace(sending(BY_NAME, policy), maps=named),
        replace(sending(BY_NAME, policy), maps=others),
        replace(sending(BY_NAME, policy), ownership=Ownership.MERGE),
        replace(sending(BY_NAME, policy), parameters={"default_transport": "smtp:example.net"}),
        sending(BY_NAME, DestinationPolicy(BY_NAME.upper(), "encrypt")),
    ):
        assert wrong(host) == {}


@pytest.mark.parametrize(
    ("attributes", "level", "words"),
    [
        ({"protocols": "TLSv9"}, "encrypt", "TLSv9"),
        ({"ciphers": "strong"}, "encrypt", "strong"),
        ({"servername": "mx1_example"}, "encrypt", "no host name"),
        ({"servername": "mx 1"}, "encrypt", "no host name"),
        ({"tafile": ("ca.pem",)}, "secure", "absolute path"),
        ({"tafile": ("/etc/a.pem",)}, "encrypt", "verify and secure only"),
        ({"connection_reuse": True}, "none", "no attribute"),
        ({"exclude": ("MD5",)}, "none", "no attribute"),
    ],
)
def test_an_attribute_that_would_defer_the_mail_is_refused(
    attributes: dict[str, object], level: str, words: str
) -> None:
    """Postfix takes the row and defers everything to the destination, with one line in its log."""
    policy = DestinationPolicy("example.net", level, **attributes)  # type: ignore[arg-type]
    host = replace(sending("", policy), ownership=Ownership.MERGE)
    told = wrong(host)
    assert all(path.startswith("client.policies.example.net") for path in told)
    assert words in " ".join(told.values())


def test_an_attribute_needs_a_release_that_has_it() -> None:
    """As the parameter of all mail does that it replaces."""
    policy = DestinationPolicy("example.net", "encrypt", connection_reuse=True)
    host = sending("", policy, smtp_tls_protocols="!SSLv3")
    assert wrong(replace(host, postfix_version=PostfixVersion(3, 7))) == {}
    old = wrong(replace(host, postfix_version=PostfixVersion(3, 3)))
    assert set(old) == {"client.policies.example.net.connection_reuse"}


def test_a_file_of_roots_is_not_found_in_the_jail() -> None:
    """Where master.cf is ours smtp(8) is in it; that of a host may be outside."""
    host = sending("", DestinationPolicy("example.net", "secure", tafile=("/etc/ssl/partner.pem",)))
    assert "chroot" in wrong(host)["client.policies.example.net"]
    assert wrong(replace(host, ownership=Ownership.MERGE)) == {}


def test_connections_that_are_kept_have_a_service_that_keeps_them() -> None:
    """Only where they are, and it needs TLS in main.cf."""
    policy = DestinationPolicy("example.net", "encrypt", connection_reuse=True)
    assert "tlsproxy" in {service.name for service in render_services_of(sending("", policy))}
    kept = replace(sending(), parameters={"smtp_tls_connection_reuse": "yes"})
    assert "tlsproxy" in {service.name for service in render_services_of(kept)}
    for other in (sending(), sending("", replace(policy, connection_reuse=False))):
        assert "tlsproxy" not in {service.name for service in render_services_of(other)}
    assert set(wrong(sending("", policy, smtp_tls_security_level="none"))) == {"client.policies.example.net"}


@given(
    protocols=st.sampled_from([">=TLSv1.2", "TLSv1.2, TLSv1.3", "!SSLv3 !TLSv1", ""]),
    ciphers=st.sampled_from(["high", "medium", ""]),
    exclude=st.lists(st.sampled_from(["aNULL", "MD5", "DES"]), max_size=3),
    reuse=st.sampled_from([None, True, False]),
)
def test_a_row_has_no_blank_and_no_comma_within_an_attribute(
    *, protocols: str, ciphers: str, exclude: list[str], reuse: bool | None
) -> None:
    """At either Postfix would see the end of the value, and then an attribute that it does not know."""
    policy = DestinationPolicy(
        "example.net",
        "secure",
        ("mx.example.net", "nexthop"),
        protocols=protocols,
        ciphers=ciphers,
        exclude=tuple(exclude),
        connection_reuse=reuse,
    )
    assert wrong(sending("", policy)) == {}
    (table,) = [file for file in render_configuration_files(sending("", policy)) if file.path == "tls_policy"]
    row = table.content.decode().splitlines()[-1]
    level, *attributes = row.removeprefix("example.net ").split(" ")
    assert level == "secure"
    assert [each.partition("=")[0] for each in attributes] == [
        "match",
        *(["protocols"] if protocols else []),
        *(["ciphers"] if ciphers else []),
        *(["exclude"] if exclude else []),
        *(["connection_reuse"] if reuse is not None else []),
    ]
    assert "," not in row
