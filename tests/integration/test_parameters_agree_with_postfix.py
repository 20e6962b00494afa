"""The installed Postfix is the judge of the table of parameters: of its names, of defaults, and of values by kind."""

import re
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from postfix.parameter_checks import problems_of_parameters
from postfix.parameter_use import REFUSED
from postfix.parameters import EARLIER_NAMES, PostfixVersion, known_parameters, parameter_named
from postfix.references import has_condition
from postfix.values import CHECKS
from tests.support.postfix_instance import Boot, BootError, boot
from tests.support.postfix_overlay import RECEIVING_SIDE

pytestmark = pytest.mark.needs_postfix

# Of these kinds no value can put a second word into a list of domains, networks or paths that names the parameter.
ONE_WORD = frozenset({"boolean", "delimiters", "domain", "enum", "integer", "ip-address", "origin", "path", "time"})
# proxymap(8) opens what other parameters name; in them tables are judged one by one.
LISTS_OF_TABLES = frozenset({"proxy_read_maps", "proxy_write_maps"})
# Names that local(8) itself fills in for each mail.
OF_EACH_MAIL = frozenset({"extension", "home", "user"})

# One of each kind at least; what is refused elsewhere for what it decides is not tried here.
GOOD: Mapping[str, str] = {
    "smtpd_helo_required": "Yes",
    "smtpd_client_connection_count_limit": "20",
    "default_delivery_slot_discount": "100",
    "postscreen_dnsbl_allowlist_threshold": "-1",
    "unverified_sender_reject_code": "250",
    "access_map_reject_code": "599",
    "message_size_limit": "9223372036854775807",
    "mailbox_size_limit": "0",
    "virtual_mailbox_limit": "0",
    "maximal_queue_lifetime": "1w",
    "smtpd_timeout": "1w",
    "smtp_destination_rate_delay": "0s",
    "default_destination_concurrency_positive_feedback": "1/concurrency",
    "default_destination_concurrency_negative_feedback": "0.5",
    "header_checks": "regexp:{ { /^X-Ours:/ IGNORE } }",
    "canonical_maps": "unionmap:{ inline:{a=b}, inline:{c=d} }",
    "sender_canonical_maps": "pipemap:{inline:{a=b},inline:{c=d}}",
    "recipient_bcc_maps": "randmap:{sink@sunk.test}",
    "smtp_reply_filter": "regexp:{ { /^250/ 250 } }",
    "address_verify_map": "btree:$data_directory/verify_cache",
    "milter_default_action": "accept",
    "smtpd_milters": "{ inet:127.0.0.1:9, connect_timeout=1s, default_action=accept }",
    "mailbox_transport": "lmtp:unix:private/dovecot-lmtp",
    "address_verify_sender": "<>",
    "luser_relay": "$user@sunk.test",
    "mydomain": "example.test",
    "myorigin": "$mydomain",
    "recipient_delimiter": "+-",
    "inet_protocols": "ipv4",
    "notify_classes": "resource, software",
    "masquerade_classes": "envelope_sender header_sender",
    "propagate_unmatched_extensions": "canonical, virtual",
    "receive_override_options": "no_milters",
    "local_header_rewrite_clients": "permit_inet_interfaces, inline:{192.0.2.1=x}",
    "smtpd_sasl_security_options": "noanonymous, noplaintext",
    "smtpd_sasl_type": "dovecot",
    "smtpd_sasl_path": "private/auth",
    "smtpd_forbid_bare_newline": "reject",
    "unknown_address_tempfail_action": "defer",
    "header_from_format": "obsolete",
    "smtp_address_preference": "any",
    "syslog_facility": "local7",
    "error_service_name": "error",
    "smtpd_banner": "$myhostname ESMTP # hello",
}
BAD: Mapping[str, str] = {
    "notify_classes": "resource, SOFTWARE",
    "smtpd_helo_required": "yess",
    "smtpd_client_connection_count_limit": "many",
    "smtpd_timeout": "0",
    "message_size_limit": "9223372036854775808",
    "receive_override_options": "no_checks",
    "smtpd_forbid_bare_newline": "maybe",
    "unknown_address_tempfail_action": "permit",
    "smtpd_sasl_type": "saslauthd",
}


@cache
def defaults() -> Mapping[str, str]:
    """Return the default of each parameter that the installed Postfix has."""
    lines = subprocess.run(["postconf", "-d"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def version() -> PostfixVersion:
    """Return the release of the installed Postfix."""
    return PostfixVersion.from_text(".".join(defaults()["mail_version"].split(".")[:2]))


def write_main_cf(directory: Path, parameters: Mapping[str, str]) -> Path:
    """Write a main.cf of a host that takes mail for nobody."""
    base = {"compatibility_level": "3.6", "myhostname": "mx1.example.test", "mydestination": "", "alias_maps": ""}
    text = "".join(f"{name} = {value}\n" for name, value in {**base, **parameters}.items())
    (directory / "main.cf").write_text(text)
    return directory


def test_the_table_has_exactly_the_parameters_of_the_installed_release() -> None:
    """Those of single services by their pattern, every other one by its own row."""
    here = version()
    rows = {name for name, each in known_parameters().items() if each.is_known_to(here)}
    assert rows - defaults().keys() == set()
    assert {name for name in defaults().keys() - rows if parameter_named(name) is None} == set()


def test_every_name_that_a_default_refers_to_is_known() -> None:
    """One that was a parameter once still becomes the value of another: no class of restrictions may be called so."""
    raw = {"default_rbl_reply", "forward_path"}  # filled in at delivery, from what is known then
    texts = [value for name, value in defaults().items() if name not in raw]
    referred = {name for text in texts for name in re.findall(r"\$[{(]?(\w+)", text)}
    assert {name for name in referred if parameter_named(name) is None} <= EARLIER_NAMES


def test_every_default_is_a_value_of_its_kind() -> None:
    """A check that finds fault with what Postfix does by itself is wrong."""
    faults = {
        name: list(CHECKS[parameter.kind](value, parameter.allowed))
        for name, value in defaults().items()
        # A condition is refused where it is written, whatever it says.
        if (parameter := parameter_named(name)) and not has_condition(value)
    }
    assert {name: told for name, told in faults.items() if told} == {}


def test_what_defaults_of_dangerous_parameters_name_cannot_hold_a_second_word() -> None:
    """A harmless parameter that stands within a dangerous one would otherwise be a way around."""
    found = {
        (name, inner)
        for name, value in defaults().items()
        if (outer := parameter_named(name)) and outer.decides in REFUSED and name not in LISTS_OF_TABLES
        for inner in re.findall(r"\$[({]?(\w+)", value)
        if inner not in OF_EACH_MAIL and not _is_harmless(inner)
    }
    assert found == set()


def _is_harmless(name: str) -> bool:
    """Return whether nobody can set the parameter by name, or only to one word of its kind."""
    parameter = parameter_named(name)
    return parameter is None or parameter.decides in REFUSED or parameter.kind in ONE_WORD


def test_good_values_of_every_kind_are_taken_by_the_daemons(tmp_path: Path, postfix_instance: Boot) -> None:
    """Mail comes in and goes through, and nobody complains."""
    known = {name: value for name, value in GOOD.items() if name in defaults() or name.startswith("smtp_destination")}
    assert problems_of_parameters(known, postfix_version=version()) == []
    instance = postfix_instance(write_main_cf(tmp_path, known), overrides={**RECEIVING_SIDE, "inet_protocols": None})
    assert instance.send("someone@sunk.test").status == "sent"
    assert instance.complaints() == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_that_we_find_kills_a_daemon(tmp_path: Path, name: str) -> None:
    """Otherwise the message about it would be wrong."""
    assert [problem.path for problem in problems_of_parameters({name: BAD[name]})] == [name]
    sasl = {"smtpd_sasl_auth_enable": "yes"} if name == "smtpd_sasl_type" else {}
    with pytest.raises(BootError):
        boot(write_main_cf(tmp_path, {name: BAD[name]} | sasl))
