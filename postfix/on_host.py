"""A host's own server certificates, which somebody else renews: where they are, and what was seen of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from pki.model import Validity
from postfix.host import HostDeclaration
from postfix.list_items import split_list
from postfix.rendering import SERVED_BY
from postseal_core.instants import format_instant
from postseal_core.marks import INLINE

__all__ = [
    "CertificateOnHost",
    "SeenCertificate",
    "Sighting",
    "Source",
    "certificate_on_host",
    "fault_of_other_files",
    "faults_at",
    "files_of",
    "sentences_of",
    "sources_of",
]

_CHAIN_FILES, *_ = SERVED_BY
_NONE: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOnHost:
    """What a declaration says about certificates that the host has already.

    `chain_files`: where they are; empty for those that its main.cf names. `public_names`: what they must be for.
    `keeps_parameters`: the parameters of main.cf that name them stay as they are.
    """

    chain_files: tuple[str, ...] = ()
    public_names: tuple[str, ...] = ()
    keeps_parameters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCertificate:
    """One certificate as it was seen on a host; `kind` is that of its key, as RSA or ECDSA."""

    kind: str
    subject: str
    issuer: str
    dns_names: tuple[str, ...] = ()
    validity: Annotated[Validity, INLINE]
    fingerprint_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What was seen of a host's own certificates, and when.

    `faults`: why Postfix could not serve them, or clients would refuse them. `warnings`: what some clients may refuse.
    `cannot_tell`: why nothing is known of them; empty where something is. `seen_at`: None where nobody looked.
    """

    declared: CertificateOnHost
    certificates: tuple[SeenCertificate, ...] = ()
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    cannot_tell: str = ""
    seen_at: datetime | None = None

    def is_like(self, other: "Sighting") -> bool:
        """Return whether both saw the same, whenever that was."""
        return replace(self, seen_at=None) == replace(other, seen_at=None)


@dataclass(frozen=True, slots=True)
class Source:
    """Files that smtpd(8) reads certificates from.

    `is_pair`: one key file and one certificate file; else chain files, where each key begins a chain.
    """

    files: tuple[str, ...]
    is_pair: bool = False


def certificate_on_host(host: HostDeclaration) -> CertificateOnHost | None:
    """Return what a host's declaration says about certificates that are there already; None where nothing."""
    if host.server is None or host.server.on_host is None:
        return None
    return CertificateOnHost(
        chain_files=host.server.on_host.chain_files,
        public_names=host.public_names,
        keeps_parameters=host.keeps_server_certificate,
    )


def sources_of(parameters: Mapping[str, str], program: str = "smtpd") -> tuple[Source, ...]:
    """Return where a program reads its certificates from, by expanded values (`SERVED_BY`, postconf(5)).

    `program`: smtpd, or smtp or lmtp, whose parameters are called likewise.
    """
    if chain_files := split_list(parameters.get(f"{program}_tls_chain_files", "")):
        return (Source(tuple(chain_files)),)
    names = ((f"{program}_tls_{kind}key_file", f"{program}_tls_{kind}cert_file") for kind in ("", "d", "ec"))
    pairs = [(parameters.get(key, ""), parameters.get(certificate, "")) for key, certificate in names]
    return tuple(
        Source((key or certificate, certificate), is_pair=True)
        for key, certificate in pairs
        if certificate not in ("", _NONE)
    )


def files_of(sources: Sequence[Source]) -> tuple[str, ...]:
    """Return all files of sources, each once."""
    return tuple(dict.fromkeys(file for source in sources for file in source.files))


def fault_of_other_files(declared: CertificateOnHost, sources: Sequence[Source]) -> str:
    """Return why what main.cf serves is not what is declared; empty where it is."""
    found = files_of(sources)
    if not found:
        fix = f"; set it there: postconf -e '{_CHAIN_FILES} = {', '.join(declared.chain_files)}'"
        named = fix if declared.chain_files else "; name a server in certificate, or set smtpd_tls_chain_files there"
        return f"main.cf names no server certificate, so Postfix would serve no TLS{named}"
    if declared.chain_files and {*found} != {*declared.chain_files}:
        wanted = ", ".join(declared.chain_files)
        return (
            f"main.cf serves {', '.join(found)}, and {wanted} is declared: declare what is served, or set it there: "
            f"postconf -e '{_CHAIN_FILES} = {wanted}'"
        )
    return ""


def faults_at(sighting: Sighting, now: datetime) -> Iterator[str]:
    """Yield everything that is wrong with what was seen, at an aware instant."""
    yield from sighting.faults
    for each in sighting.certificates:
        if now > each.validity.not_after:
            yield f"the {each.kind} certificate expired at {format_instant(each.validity.not_after)}: renew it there"
        elif now < each.validity.not_before:
            yield (
                f"the {each.kind} certificate is not valid before {format_instant(each.validity.not_before)}, and the "
                f"clock says {format_instant(now)}"
            )


def sentences_of(sighting: Sighting) -> Iterator[str]:
    """Yield what to tell whoever runs the program: what is served until when, and what some clients may refuse."""
    if sighting.cannot_tell:
        yield f"cannot tell what certificate the host serves: {sighting.cannot_tell}"
    for each in sighting.certificates:
        names = ", ".join(each.dns_names) or each.subject
        until = format_instant(each.validity.not_after)
        yield f"serves the host's own {each.kind} certificate for {names}, until {until}"
    yield from sighting.warnings
