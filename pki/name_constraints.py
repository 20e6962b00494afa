"""Compare the names in a certificate with what an authority above it may certify (RFC 5280 section 4.2.1.10).

For certificates that exist, whoever has issued them; `constraints.py` judges declarations before they are issued.
"""

from collections.abc import Iterator, Mapping, Sequence

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.extensions import extension_of, name_in_words
from pki.name_kinds import NAME_KINDS, NameKind
from pki.name_syntax import fault_of_ip_address, host_of_uri

__all__ = ["faults_of_names"]

_Names = Sequence[x509.GeneralName]

_KIND_OF: Mapping[type[x509.GeneralName], NameKind] = {kind.general_name: kind for kind in NAME_KINDS}


def faults_of_names(certificate: x509.Certificate, issuer: x509.Certificate) -> Iterator[str]:
    """Yield each name of a certificate that its authority may not certify, worded to follow the certificate's name.

    Judged are the subject, its e-mail addresses, and all subject alternative names. A name that cannot be compared
    with a constraint of its own kind counts as outside. Not judged: a common name that looks like a host.
    """
    constraints = extension_of(issuer, x509.NameConstraints)
    if constraints is None:
        return
    by, permitted, excluded = (
        name_in_words(issuer.subject),
        constraints.permitted_subtrees,
        constraints.excluded_subtrees,
    )
    for name in _names(certificate):
        allowed, forbidden = _same_kind(name, permitted or ()), _same_kind(name, excluded or ())
        if (allowed or forbidden) and not _is_comparable(name):
            yield f"has a {type(name).__name__} that cannot be compared with the constraints of {by}"
        elif allowed and not any(_is_within(name, base) for base in allowed):
            yield f"has the name {_shown(name)}, which is outside of all that {by} may certify"
        elif any(_touches(name, base) for base in forbidden):
            yield f"has the name {_shown(name)}, which {by} may not certify"


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        # RFC822Name refuses what is not ASCII; such a mailbox lies within no constraint.
        yield x509.RFC822Name(str(attribute.value).encode("ascii", "replace").decode())
    yield from extension_of(certificate, x509.SubjectAlternativeName) or ()


def _same_kind(name: x509.GeneralName, subtrees: _Names) -> list[x509.GeneralName]:
    return [base for base in subtrees if type(base) is type(name)]


def _is_comparable(name: x509.GeneralName) -> bool:
    if isinstance(name, x509.UniformResourceIdentifier):
        host = host_of_uri(name.value)
        # Constraints are on host names: RFC 5280 wants a URI without one, or with an address, refused.
        return bool(host) and fault_of_ip_address(str(host)) is not None
    if isinstance(name, x509.RFC822Name):
        return "@" in name.value
    return isinstance(name, x509.DirectoryName) or type(name) in _KIND_OF


def _is_within(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    if isinstance(name, x509.DirectoryName):
        return _is_directory_within(name, base)
    return _KIND_OF[type(name)].is_within(_permitted_text(name), _permitted_text(base))


def _touches(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    if isinstance(name, x509.DirectoryName):
        return _is_directory_within(name, base)
    return _KIND_OF[type(name)].touches(str(name.value).lower(), str(base.value).lower())


def _permitted_text(name: x509.GeneralName) -> str:
    """Return a name for comparison: hosts in lower case, the part of a mailbox before its @ as it is."""
    text = str(name.value)
    if not isinstance(name, x509.RFC822Name):
        return text.lower()
    local, at, host = text.rpartition("@")
    return local + at + host.lower()


def _is_directory_within(name: x509.DirectoryName, base: x509.GeneralName) -> bool:
    wanted = _comparable_rdns(base.value)
    return _comparable_rdns(name.value)[: len(wanted)] == wanted


def _comparable_rdns(name: x509.Name) -> list[frozenset[tuple[str, str | bytes]]]:
    """Return the parts of a name for comparison without case and repeated blanks (RFC 5280 section 7.1)."""
    return [frozenset((part.oid.dotted_string, _comparable(part.value)) for part in rdn) for rdn in name.rdns]


def _comparable(value: str | bytes) -> str | bytes:
    return " ".join(value.split()).casefold() if isinstance(value, str) else value


def _shown(name: x509.GeneralName) -> str:
    return name_in_words(name.value) if isinstance(name, x509.DirectoryName) else repr(str(name.value))
