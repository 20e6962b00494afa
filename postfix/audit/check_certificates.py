"""Certificates that are served and presented: dates, chains, names, purposes, and who can read their keys."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.extensions import extension_of, name_in_words
from pki.name_syntax import is_host_covered
from postfix.audit.findings import Finding, Place
from postfix.audit.host_view import HostView
from postfix.audit.kinds import Kind
from postfix.effective.expansion import Values
from postfix.effective.listeners import TlsLevel, values_of_service
from postfix.on_host import Source, sources_of
from postfix.parameters import LEGACY_CHAIN_FILES
from postfix.sighting import PublicChain, chains_in
from postseal_core.errors import CertificateError
from postseal_core.instants import format_instant

__all__ = ["check_presented", "check_served"]

_SOON: Final = timedelta(days=30)
_PART: Final = 4
"""What is renewed at two thirds of its lifetime has a third left; with a quarter left nobody has."""
_ENDS: Final = ("chain_files", *LEGACY_CHAIN_FILES)
_SENDERS: Final = ("smtp", "lmtp")
_SHOWN: Final = 5


def check_served(view: HostView, now: datetime) -> Iterator[Finding]:
    """Judge what the listeners serve."""
    for source, place in _sources(view, "smtpd"):
        for chain in _chains(view, source):
            yield from _of_dates(chain, place, now)
            yield from (
                Finding(kind=Kind.CHAIN_ODD, place=_at(place, chain), what=warning, fix="put the certificates in order")
                for warning in chain.warnings()
            )
            yield from _of_names(view, chain, place)
        yield from _of_keys(view, source)


def check_presented(view: HostView, now: datetime) -> Iterator[Finding]:
    """Judge what the services that send present."""
    for program in _SENDERS:
        for source, place in _sources(view, program):
            for chain in _chains(view, source):
                yield from _of_purpose(chain, place)
                end = chain.leaf.not_valid_after_utc
                if end < now:
                    what = f"the certificate that {program} presents ended at {format_instant(end)}"
                    yield Finding(kind=Kind.CLIENT_EXPIRED, place=_at(place, chain), what=what, fix="renew it")
            yield from _of_keys(view, source)


def _sources(view: HostView, program: str) -> Iterator[tuple[Source, Place]]:
    """Yield the files of certificates of a program, each once, with where they are named."""
    names = [f"{program}_tls_{end}" for end in _ENDS]
    seen: set[Source] = set()
    for values, key in _services(view, program):
        for source in sources_of({name: values[name] for name in names}, program):
            if source in seen or not all(path.startswith("/") for path in source.files):
                continue
            seen.add(source)
            name = next((name for name in names if source.files[-1] in values[name]), names[0])
            own = key and any(name in each.options for each in view.configuration.services if each.key == key)
            yield source, view.lines.service(key, name) if own else view.lines.main(name)


def _services(view: HostView, program: str) -> Iterator[tuple[Values, str]]:
    if program == "smtpd":
        yield from ((each.values, each.service.key) for each in view.listeners if each.declared_tls > TlsLevel.NONE)
        return
    for service in view.configuration.services:
        if service.command == program and service.is_readable:
            yield values_of_service(view.configuration, service.name, service), service.key


def _chains(view: HostView, source: Source) -> list[PublicChain]:
    """Return the chains of a source; none where a file is missing or wrong, which is told as what comes of it."""
    files = {path: view.file(path) for path in source.files}
    found = {path: file for path, file in files.items() if file and not file.fault and not file.is_hidden}
    return chains_in(source, found)[0] if len(found) == len(files) else []


def _at(place: Place, chain: PublicChain) -> Place:
    return Place(chain.files[-1], 0, place.service, place.parameter)


def _of_dates(chain: PublicChain, place: Place, now: datetime) -> Iterator[Finding]:
    start, end = chain.leaf.not_valid_before_utc, chain.leaf.not_valid_after_utc
    name = name_in_words(chain.leaf.subject)
    at = _at(place, chain)
    if end < now:
        what = f"the certificate of {name} ended at {format_instant(end)}"
        yield Finding(kind=Kind.EXPIRED, place=at, what=what, fix="renew it, and reload Postfix")
    elif now < start:
        what = f"the certificate of {name} begins at {format_instant(start)}, and it is {format_instant(now)}"
        yield Finding(kind=Kind.NOT_YET_VALID, place=at, what=what, fix="serve another one until then; see the clock")
    elif end - now < min(_SOON, (end - start) / _PART):
        what = f"the certificate of {name} ends at {format_instant(end)}, in {(end - now).days} days"
        yield Finding(kind=Kind.EXPIRES_SOON, place=at, what=what, fix="see why it was not renewed")


def _of_names(view: HostView, chain: PublicChain, place: Place) -> Iterator[Finding]:
    host = view.main["myhostname"]
    try:
        names = chain.seen.dns_names
    except (CertificateError, ValueError):
        return
    if "myhostname" in view.configuration.written and not is_host_covered(host, names):
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        what = f"the certificate is for {', '.join(names[:_SHOWN]) or 'no host name'}{more}, and myhostname is {host}"
        fix = "nothing, if clients connect by one of these names"
        yield Finding(kind=Kind.OTHER_NAMES, place=_at(place, chain), what=what, fix=fix)


def _of_purpose(chain: PublicChain, place: Place) -> Iterator[Finding]:
    usage = extension_of(chain.leaf, x509.ExtendedKeyUsage)
    if usage is not None and ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        what = f"the certificate of {name_in_words(chain.leaf.subject)} is presented to servers, and is not for clients"
        fix = "present one of an authority of your own, or agree on its fingerprint with the other side"
        yield Finding(kind=Kind.NOT_FOR_CLIENTS, place=_at(place, chain), what=what, fix=fix)


def _of_keys(view: HostView, source: Source) -> Iterator[Finding]:
    for path in dict.fromkeys(source.files):
        file = view.file(path)
        if file and file.is_open:
            what = "every user of the host may read this private key"
            yield Finding(kind=Kind.OPEN_KEY, place=Place(path), what=what, fix=f"chmod o= {path}, and make a new key")
