"""How mail leaves: without TLS, with passwords in clear, or not at all."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from postfix.audit.findings import Finding
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.effective.expansion import Values, is_level_from
from postfix.effective.listeners import values_of_service
from postfix.effective.sending import LEVEL, Sending, sending_level
from postfix.list_items import split_list

__all__ = ["check_sending"]

_POLICIES: Final = "smtp_tls_policy_maps"
_TRUST: Final = ("smtp_tls_CAfile", "smtp_tls_CApath", "smtp_tls_trust_anchor_file")
_PRINTS: Final = "smtp_tls_fingerprint_cert_match"
_PLAIN_PASSWORDS: Final = "noplaintext"
_MAY_BY_DEFAULT: Final = "3.11"
_LOCAL: Final = frozenset({"localhost", "localhost.localdomain"})


def check_sending(view: HostView) -> Iterator[Finding]:
    """Judge how the service that mail to others goes through sends it."""
    name = view.main["default_transport"].partition(":")[0]
    service = view.configuration.service(name)
    if service is None or service.command != "smtp" or not service.is_readable:
        return
    values = values_of_service(view.configuration, service.name, service)
    if LEVEL in service.options or _has_local_hop(values):
        # A way of its own is meant as it is; to this machine nobody listens.
        return
    if view.record.is_copy and not values[LEVEL] and is_level_from(values["compatibility_level"], _MAY_BY_DEFAULT):
        # By the release here it is none, by that of the host perhaps may.
        return
    level, word = sending_level(values)
    if level is Sending.NOTHING and not split_list(values[_POLICIES]) and word in ("none", ""):
        what = f"{LEVEL} = none" if values[LEVEL] else f"{LEVEL} is empty, which means none"
        fix = f"write {LEVEL} = may"
        yield Finding(kind=Kind.SENT_IN_CLEAR, place=view.lines.main(LEVEL), what=what, fix=fix)
    yield from _passwords(view, values, level, word)
    yield from _verified(view, values, word)


def _has_local_hop(values: Values) -> bool:
    hop = values["relayhost"]
    host = hop[1:].partition("]")[0] if hop.startswith("[") else hop.partition(":")[0]
    try:
        return host.lower() in _LOCAL or ip_address(host).is_loopback
    except ValueError:
        return False


def _passwords(view: HostView, values: Values, level: Sending, word: str) -> Iterator[Finding]:
    has_password = values.is_yes("smtp_sasl_auth_enable") and bool(values["smtp_sasl_password_maps"])
    is_plain = _PLAIN_PASSWORDS not in split_list(values["smtp_sasl_security_options"])
    is_wrapped = values.is_yes("smtp_tls_wrappermode")
    if has_password and is_plain and level < Sending.ENCRYPTED and not is_wrapped and not split_list(values[_POLICIES]):
        said = f"{LEVEL} = {values[LEVEL]}" if values[LEVEL] else f"{LEVEL} is empty, which here means {word}, and"
        what = f"{said} lets a password go without TLS"
        fix = f"write {LEVEL} = encrypt, or secure with a CAfile"
        yield Finding(kind=Kind.LOGIN_SENT_IN_CLEAR, place=view.lines.main(LEVEL), what=what, fix=fix)


def _verified(view: HostView, values: Values, word: str) -> Iterator[Finding]:
    place = view.lines.main(LEVEL)
    trusts = any(values[name] for name in _TRUST) or values.is_yes("tls_append_default_CA")
    has_policies = bool(split_list(values[_POLICIES]))
    if word in ("verify", "secure") and not trusts and not has_policies:
        what = f"{LEVEL} = {word}, and no authority is trusted: smtp_tls_CAfile and smtp_tls_CApath are empty"
        fix = "name the authorities in smtp_tls_CAfile"
        yield Finding(kind=Kind.NEVER_VERIFIES, place=place, what=what, fix=fix)
    if word == "fingerprint" and not values[_PRINTS] and not has_policies:
        what = f"{LEVEL} = fingerprint, and {_PRINTS} is empty"
        yield Finding(kind=Kind.NEVER_VERIFIES, place=place, what=what, fix="write the fingerprints of the next server")
    if word in ("dane", "dane-only") and values["smtp_dns_support_level"].lower() != "dnssec":
        what = f"{LEVEL} = {word}, and smtp_dns_support_level is not dnssec"
        fix = "write smtp_dns_support_level = dnssec, with a resolver on this host that validates"
        yield Finding(kind=Kind.DANE_WITHOUT_DNSSEC, place=place, what=what, fix=fix)
