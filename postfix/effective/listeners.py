"""The listeners of a host where clients hand in mail, and what each of them offers and asks for.

A listener is a service of type `inet` that runs smtpd(8), or postscreen(8) with the `pass` service behind it: the port
is that of postscreen, all else is of the service behind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Final

from postfix.effective.captures import HostConfiguration, MasterService
from postfix.effective.expansion import Values
from postfix.list_items import split_list
from postfix.parameter_readers import fault_of_value, names_read_by
from postfix.parameters import known_parameters

__all__ = ["Listener", "TlsLevel", "listeners_of", "values_of_service"]

_INET, _PASS, _SMTPD, _POSTSCREEN = "inet", "pass", "smtpd", "postscreen"
_AS_ENCRYPT: Final = frozenset({"encrypt", "fingerprint", "secure", "verify"})
_PAIRS: Final = tuple(
    (f"smtpd_tls_{algorithm}cert_file", f"smtpd_tls_{algorithm}key_file") for algorithm in ("", "ec", "d")
)
_LOGIN_WORDS: Final = frozenset({"smtpd_sasl_type", "smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"})


class TlsLevel(IntEnum):
    """What a listener does about TLS, weakest first."""

    NONE = 0
    MAY = 1
    ENCRYPT = 2


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One listener; `values`: the effective values of the smtpd(8) that talks to clients, computed when asked.

    `port` is as master.cf has it, a number or a name of services(5); `addresses` are without brackets, and those of
    inet_interfaces where the service names none: its words are not resolved. `screen`: the postscreen(8) in front.
    `cannot_tell`: why nothing can be known of it.
    """

    port: str
    addresses: tuple[str, ...]
    service: MasterService
    values: Values
    screen: MasterService | None = None
    screen_values: Values | None = None
    cannot_tell: str = ""

    @property
    def name(self) -> str:
        """Name and type of the service that has the port."""
        return (self.screen or self.service).key

    @property
    def is_wrapped(self) -> bool:
        """Whether TLS comes before the first word, as on port 465."""
        return self.values.is_yes("smtpd_tls_wrappermode")

    @property
    def declared_tls(self) -> TlsLevel:
        """The level that is written, in whatever spelling; NONE for a level that smtpd(8) does not start with."""
        level = self.values["smtpd_tls_security_level"].lower()
        if self.is_wrapped or level in _AS_ENCRYPT:
            return TlsLevel.ENCRYPT
        if level:
            return TlsLevel.MAY if level == "may" else TlsLevel.NONE
        if self.values.is_yes("smtpd_enforce_tls"):
            return TlsLevel.ENCRYPT
        return TlsLevel.MAY if self.values.is_yes("smtpd_use_tls") else TlsLevel.NONE

    @property
    def chain_files(self) -> tuple[str, ...]:
        """The files of smtpd_tls_chain_files; what they hold is for the host to say."""
        return tuple(split_list(self.values["smtpd_tls_chain_files"]))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The files of certificates, each with that of its key; none where chain_files say what is served."""
        if self.chain_files:
            return ()
        named = ((self.values[certificate], self.values[key]) for certificate, key in _PAIRS)
        return tuple((certificate, key) for certificate, key in named if certificate.lower() not in ("", "none"))

    @property
    def tls(self) -> TlsLevel:
        """The level in force: none without a chain, as far as the configuration tells."""
        return self.declared_tls if self.chain_files or self.pairs else TlsLevel.NONE

    @property
    def requires_certificates(self) -> bool:
        """Whether a client without a certificate is sent away; ignored by smtpd(8) where TLS is not enforced."""
        return self.tls is TlsLevel.ENCRYPT and self.values.is_yes("smtpd_tls_req_ccert")

    @property
    def asks_for_certificates(self) -> bool:
        """Whether a client that has a certificate is asked for it."""
        return self.tls is not TlsLevel.NONE and (
            self.values.is_yes("smtpd_tls_ask_ccert") or self.requires_certificates
        )

    @property
    def digest(self) -> str:
        """The digest of fingerprints in the tables of this listener."""
        return self.values["smtpd_tls_fingerprint_digest"].lower()

    @property
    def rows(self) -> tuple[str, ...]:
        """The tables of relay_clientcerts."""
        return tuple(split_list(self.values["relay_clientcerts"]))

    @property
    def needs_tls_for_auth(self) -> bool:
        """Whether AUTH is offered inside TLS only."""
        return self.values.is_yes("smtpd_tls_auth_only") or self.declared_tls is TlsLevel.ENCRYPT

    @property
    def hides_starttls(self) -> bool:
        """Whether clients are not told of STARTTLS, where they would need it to come to TLS."""
        return not self.is_wrapped and "starttls" in self._discarded

    @property
    def _discarded(self) -> frozenset[str]:
        return frozenset(word.lower() for word in split_list(self.values["smtpd_discard_ehlo_keywords"]))

    def offers_auth(self, *, has_tls: bool) -> bool:
        """Return whether a client may log in, from an address that is no exception."""
        is_on = self.values.is_yes("smtpd_sasl_auth_enable") and "auth" not in self._discarded
        return is_on and (has_tls or not self.needs_tls_for_auth)

    @property
    def has_auth_in_clear(self) -> bool:
        """Whether passwords may come in clear."""
        return self.offers_auth(has_tls=False) and not self.is_wrapped

    def words_of(self, parameter: str) -> tuple[str, ...]:
        """Return the words of a restriction list as this listener has it."""
        return tuple(split_list(self.values[parameter]))

    @cached_property
    def start_faults(self) -> tuple[str, ...]:
        """Why smtpd(8) will not start here, as far as single values tell; every client is then sent away."""
        return tuple(_faults_of_values(self.values))


def _faults_of_values(values: Values) -> Iterator[str]:
    for name in sorted(names_read_by(_SMTPD) & values.raw.keys()):
        if fault := fault_of_value(_SMTPD, name, values[name]):
            yield fault
    if values.is_yes("smtpd_sasl_auth_enable"):
        for name in _LOGIN_WORDS & values.raw.keys():
            parameter = known_parameters()[name]
            yield from (
                f"{name}: {word} is not known" for word in split_list(values[name]) if word not in parameter.allowed
            )


def listeners_of(configuration: HostConfiguration) -> tuple[Listener, ...]:
    """Return the listeners of a host in the order of master.cf; none where nothing is known of the host."""
    return tuple(_listeners(configuration))


def _listeners(configuration: HostConfiguration) -> Iterator[Listener]:
    for service in configuration.services:
        if service.type != _INET:
            continue
        values = _values_of(configuration, service)
        if service.command == _SMTPD:
            yield _listener(service, values, service, values)
        elif service.command == _POSTSCREEN:
            behind = configuration.service(values["smtpd_service_name"], _PASS)
            if behind is None or behind.command != _SMTPD:
                missing = f"postscreen hands over to {values['smtpd_service_name']}, which is no smtpd in master.cf"
                yield _listener(service, values, service, values, missing)
            else:
                yield _listener(service, values, behind, _values_of(configuration, behind))


def _listener(
    front: MasterService, front_values: Values, service: MasterService, values: Values, cannot_tell: str = ""
) -> Listener:
    host, port = _place_of(front.name)
    is_screened = front.command == _POSTSCREEN
    unreadable = [each.key for each in {front.key: front, service.key: service}.values() if not each.is_readable]
    if unreadable:
        cannot_tell = (
            f"the options of {', '.join(unreadable)} in master.cf are not told by postconf as smtpd reads them"
        )
    return Listener(
        port=port,
        addresses=(host,) if host else tuple(map(_bare, split_list(front_values["inet_interfaces"]))),
        service=service,
        values=values,
        screen=front if is_screened else None,
        screen_values=front_values if is_screened else None,
        cannot_tell=cannot_tell,
    )


def values_of_service(configuration: HostConfiguration, name: str, service: MasterService | None = None) -> Values:
    """Return the effective values of a service, one of type unix where only its name is given.

    Those of main.cf where master.cf has no such service.
    """
    found = service or configuration.service(name) or MasterService(name=name, type="unix", command="")
    return _values_of(configuration, found)


def _values_of(configuration: HostConfiguration, service: MasterService) -> Values:
    return Values({**configuration.parameters, **service.options, "service_name": service.name})


def _place_of(name: str) -> tuple[str, str]:
    """Split the name of an inet service into address and port; the address may be in brackets (master(5))."""
    host, _, port = name.rpartition(":")
    return _bare(host), port


def _bare(address: str) -> str:
    return address.removeprefix("[").removesuffix("]")
