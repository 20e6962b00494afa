"""Which listeners a host has, and what each offers, by its own options over main.cf."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.listeners import Listener, TlsLevel, listeners_of

pytestmark = pytest.mark.usefixtures("only_names_of_postfix")

CHAIN = {"smtpd_tls_chain_files": "/etc/postfix/tls/chain.pem"}
NONE, MAY, ENCRYPT = TlsLevel


def smtpd(name: str = "smtp", kind: str = "inet", command: str = "smtpd", **options: str) -> MasterService:
    """Return a service."""
    return MasterService(name=name, type=kind, command=command, options=options)


def only(parameters: Mapping[str, str], *services: MasterService) -> Listener:
    """Return the one listener of a host."""
    (found,) = listeners_of(HostConfiguration(parameters=parameters, services=services or (smtpd(),)))
    return found


@pytest.mark.parametrize(
    ("parameters", "declared", "in_force"),
    [
        ({}, NONE, NONE),
        (CHAIN, NONE, NONE),
        ({"smtpd_tls_security_level": "may"}, MAY, NONE),
        (CHAIN | {"smtpd_tls_security_level": "may"}, MAY, MAY),
        (CHAIN | {"smtpd_tls_security_level": "May"}, MAY, MAY),
        (CHAIN | {"smtpd_tls_security_level": "encrypt"}, ENCRYPT, ENCRYPT),
        (CHAIN | {"smtpd_tls_security_level": "verify"}, ENCRYPT, ENCRYPT),
        (CHAIN | {"smtpd_tls_security_level": "none", "smtpd_use_tls": "yes"}, NONE, NONE),
        (CHAIN | {"smtpd_use_tls": "yes"}, MAY, MAY),
        (CHAIN | {"smtpd_enforce_tls": "yes"}, ENCRYPT, ENCRYPT),
        (CHAIN | {"smtpd_tls_wrappermode": "yes"}, ENCRYPT, ENCRYPT),
        ({"smtpd_tls_cert_file": "/c.pem", "smtpd_use_tls": "yes"}, MAY, MAY),
        ({"smtpd_tls_cert_file": "none", "smtpd_use_tls": "yes"}, MAY, NONE),
    ],
)
def test_tls_is_found_in_each_spelling(parameters: dict[str, str], declared: TlsLevel, in_force: TlsLevel) -> None:
    """The level of today wins over the two booleans of old files."""
    found = only(parameters)
    assert (found.declared_tls, found.tls) == (declared, in_force)


@pytest.mark.parametrize(
    ("level", "name", "asks", "requires"),
    [
        ("may", "smtpd_tls_ask_ccert", True, False),
        ("may", "smtpd_tls_req_ccert", False, False),
        ("encrypt", "smtpd_tls_req_ccert", True, True),
        ("encrypt", "smtpd_tls_ask_ccert", True, False),
        ("none", "smtpd_tls_ask_ccert", False, False),
        ("encrypt", "other", False, False),
    ],
)
def test_certificates_are_required_only_where_tls_is(level: str, name: str, *, asks: bool, requires: bool) -> None:
    """At may, smtpd ignores that they are required, and then does not even ask."""
    found = only(CHAIN | {"smtpd_tls_security_level": level, name: "yes"})
    assert (found.asks_for_certificates, found.requires_certificates) == (asks, requires)


@pytest.mark.parametrize(
    ("parameters", "in_clear", "in_tls"),
    [
        ({}, False, False),
        ({"smtpd_sasl_auth_enable": "yes"}, True, True),
        ({"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "yes"}, False, True),
        ({"smtpd_sasl_auth_enable": "yes", "smtpd_tls_security_level": "encrypt"}, False, True),
        ({"smtpd_sasl_auth_enable": "yes", "smtpd_discard_ehlo_keywords": "etrn, AUTH"}, False, False),
    ],
)
def test_auth_in_clear_is_told_from_auth_in_tls(parameters: dict[str, str], *, in_clear: bool, in_tls: bool) -> None:
    """A password in clear is a finding of its own."""
    found = only(parameters)
    assert (found.has_auth_in_clear, found.offers_auth(has_tls=True)) == (in_clear, in_tls)


@pytest.mark.parametrize(
    ("name", "addresses", "port"),
    [
        ("smtp", ("192.0.2.1", "2001:db8::1"), "smtp"),
        ("submissions", ("192.0.2.1", "2001:db8::1"), "submissions"),
        ("127.0.0.1:10025", ("127.0.0.1",), "10025"),
        ("[::1]:submission", ("::1",), "submission"),
        ("localhost:smtp", ("localhost",), "smtp"),
    ],
)
def test_each_address_and_port_is_a_listener(name: str, addresses: tuple[str, ...], port: str) -> None:
    """IPv6 stands in brackets in both files."""
    found = only({"inet_interfaces": "192.0.2.1, [2001:db8::1]"}, smtpd(name))
    assert (found.addresses, found.port) == (addresses, port)


def test_behind_postscreen_the_service_that_it_hands_over_to_counts() -> None:
    """The port is that of postscreen, TLS and restrictions are of the service behind."""
    found = only(
        CHAIN | {"smtpd_service_name": "smtpd"},
        smtpd(command="postscreen", smtpd_tls_security_level="encrypt"),
        smtpd("smtpd", "pass", smtpd_tls_security_level="may", smtpd_tls_fingerprint_digest="SHA256"),
        smtpd("other", "pass"),
        smtpd("cleanup", "unix", "cleanup"),
    )
    assert (found.name, found.port, found.service.key) == ("smtp/inet", "smtp", "smtpd/pass")
    assert (found.tls, found.digest, found.cannot_tell) == (MAY, "sha256", "")
    assert found.screen is not None


def test_what_cannot_be_read_is_said_and_not_guessed() -> None:
    """A service that is missing, and options that postconf prints garbled."""
    assert only({"smtpd_service_name": "smtpd"}, smtpd(command="postscreen")).cannot_tell
    assert only({}, MasterService(name="smtp", type="inet", command="smtpd", is_readable=False)).cannot_tell
    assert not only({}).cannot_tell


@pytest.mark.parametrize(
    ("name", "value", "is_fatal"),
    [
        ("smtpd_tls_ask_ccert", "maybe", True),
        ("smtpd_tls_ask_ccert", "YES", False),
        ("smtpd_tls_security_level", "always", True),
        ("smtpd_tls_security_level", "fingerprint", False),
        ("smtp_tls_note_starttls_offer", "maybe", False),
    ],
)
def test_a_value_that_smtpd_does_not_start_with_is_named(name: str, value: str, *, is_fatal: bool) -> None:
    """Also where the value comes by reference; another program's values do not matter here."""
    for found in (only({name: value}), only({name: "$x", "x": value}), only({}, smtpd(**{name: value}))):
        assert [name in fault for fault in found.start_faults] == [True] * is_fatal


@pytest.mark.parametrize("name", ["smtpd_sasl_type", "smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"])
def test_an_unknown_word_about_logins_is_fatal_only_where_they_are_on(name: str) -> None:
    """Each of them by its name."""
    for is_on, is_fatal in (("no", False), ("yes", True)):
        found = only({"smtpd_sasl_auth_enable": is_on, name: "nonesuch"})
        assert [fault.startswith(f"{name}: nonesuch") for fault in found.start_faults] == [True] * is_fatal
    good = {"smtpd_sasl_type": "dovecot"}.get(name, "noanonymous, noplaintext")
    assert only({"smtpd_sasl_auth_enable": "yes", name: good}).start_faults == ()


@given(
    st.dictionaries(st.sampled_from(["smtpd_tls_security_level", "smtpd_use_tls", "smtpd_tls_ask_ccert"]), st.text())
)
def test_an_option_of_the_service_says_what_main_cf_would(options: dict[str, str]) -> None:
    """One line of master.cf over main.cf: the same facts as if main.cf said it."""
    inside, outside = only(CHAIN, smtpd(**options)), only(CHAIN | options)
    assert (inside.tls, inside.asks_for_certificates) == (outside.tls, outside.asks_for_certificates)
    assert inside.start_faults == outside.start_faults
