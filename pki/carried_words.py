"""Say what an authority carries on from a certificate that was made elsewhere, for whoever reviews its adoption."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from pki.extensions import name_text
from pki.model import AuthorityChange
from postseal_core.wording import listed

__all__ = ["carried_in_words"]

_LONGEST: Final = 200
_few: Final = partial(listed, most=8)
_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}
_PURPOSES: Final = {
    ExtendedKeyUsageOID.SERVER_AUTH: "serverAuth",
    ExtendedKeyUsageOID.CLIENT_AUTH: "clientAuth",
    ExtendedKeyUsageOID.CODE_SIGNING: "codeSigning",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "emailProtection",
    ExtendedKeyUsageOID.TIME_STAMPING: "timeStamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSPSigning",
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anyExtendedKeyUsage",
}
_NAMES: Final = {
    x509.DNSName: "host",
    x509.RFC822Name: "mailbox",
    x509.UniformResourceIdentifier: "URI",
    x509.IPAddress: "address",
    x509.DirectoryName: "directory name",
}
_ACCESS: Final = {AuthorityInformationAccessOID.CA_ISSUERS: "caIssuers", AuthorityInformationAccessOID.OCSP: "OCSP"}
_KNOWN: Final[Mapping[str, str]] = {
    "1.3.6.1.4.1.311.20.2": "name of the template it was made from (AD CS)",
    "1.3.6.1.4.1.311.21.1": "count of its renewals and keys (AD CS), which stays what it is",
    "1.3.6.1.4.1.311.21.2": "digest of the certificate before (AD CS), which stays what it is",
    "1.3.6.1.4.1.311.21.7": "template it was made from (AD CS)",
    "1.3.6.1.4.1.311.21.10": "application policies (AD CS)",
    "2.16.840.1.113730.1.1": "type of certificate (Netscape), which nobody reads any more",
    "2.16.840.1.113730.1.13": "comment (Netscape)",
    "2.5.29.9": "attributes of its subject",
    "2.5.29.16": "time in which its key may be used (privateKeyUsagePeriod), which stays what it is",
    "2.5.29.33": "policyMappings",
}
"""Extensions that the library gives back as octets, and what they are."""


def carried_in_words(
    certificate: x509.Certificate, changes: Collection[AuthorityChange], *, has_crl_urls: bool
) -> dict[str, str]:
    """Return the extensions that stay byte for byte, by their name in RFC 5280 or their identifier, in words.

    Left out are identifiers of keys, and what comes from the declaration: `changes`, and with `has_crl_urls` the
    addresses of lists, which the authority above says.
    """
    left_out: set[type[x509.ExtensionType]] = {x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier}
    left_out |= {x509.BasicConstraints} if AuthorityChange.PATH_LENGTH in changes else set()
    left_out |= {x509.NameConstraints} if AuthorityChange.NAME_CONSTRAINTS in changes else set()
    left_out |= {x509.CRLDistributionPoints} if has_crl_urls else set()
    return {_name(each): _line(each) for each in certificate.extensions if type(each.value) not in left_out}


def _name(extension: x509.Extension[Any]) -> str:
    is_known = not isinstance(extension.value, x509.UnrecognizedExtension)
    return extension.oid._name if is_known else extension.oid.dotted_string  # noqa: SLF001 - no public name for it


def _line(extension: x509.Extension[Any]) -> str:
    words = next((say for kind, say in _WORDS.items() if isinstance(extension.value, kind)), _of_octets)
    text = words(extension.value)
    text = text if text.isprintable() else ascii(text)[1:-1]
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return f"{text}; critical" if extension.critical else text


def _of_octets(value: Any) -> str:
    octets, is_known = value.public_bytes(), not isinstance(value, x509.UnrecognizedExtension)
    known = "" if is_known else _KNOWN.get(value.oid.dotted_string, "nobody here knows what it says")
    return f"{known}; {len(octets)} octets" if known else f"{len(octets)} octets"


def _of_basic_constraints(value: x509.BasicConstraints) -> str:
    if value.path_length is None:
        return "any number of authorities below it"
    below = {0: "no authorities", 1: "1 authority"}.get(value.path_length, f"{value.path_length} authorities")
    return f"path length {value.path_length}: {below} below it"


def _of_key_usage(value: x509.KeyUsage) -> str:
    return ", ".join(word for name, word in _USAGES.items() if getattr(value, name))


def _of_purposes(value: x509.ExtendedKeyUsage) -> str:
    return f"certifies for {_few(_PURPOSES.get(each, each.dotted_string) for each in value)} alone"


def _of_name_constraints(value: x509.NameConstraints) -> str:
    sides = (("permitted", value.permitted_subtrees), ("excluded", value.excluded_subtrees))
    return "; ".join(f"{side} {_few(map(_of_name, names))}" for side, names in sides if names)


def _of_policies(value: x509.CertificatePolicies) -> str:
    return _few(each.policy_identifier.dotted_string for each in value)


def _of_policy_constraints(value: x509.PolicyConstraints) -> str:
    both = (
        ("requireExplicitPolicy", value.require_explicit_policy),
        ("inhibitPolicyMapping", value.inhibit_policy_mapping),
    )
    return ", ".join(f"{word} {number}" for word, number in both if number is not None)


def _of_distribution_points(value: Iterable[x509.DistributionPoint]) -> str:
    return _few(_of_name(name) for point in value for name in point.full_name or ())


def _of_access(value: Iterable[x509.AccessDescription]) -> str:
    return _few(
        f"{_ACCESS.get(each.access_method, each.access_method.dotted_string)} {_of_name(each.access_location)}"
        for each in value
    )


def _of_names(value: Iterable[x509.GeneralName]) -> str:
    return _few(map(_of_name, value))


def _of_name(name: x509.GeneralName) -> str:
    value: Any = name.value
    text = name_text(value) if isinstance(value, x509.Name) else str(value)
    kind = _NAMES.get(type(name))
    return f"{kind} {text}" if kind else f"another kind of name ({type(name).__name__})"


_WORDS: Final[Mapping[type[x509.ExtensionType], Callable[[Any], str]]] = {
    x509.BasicConstraints: _of_basic_constraints,
    x509.KeyUsage: _of_key_usage,
    x509.ExtendedKeyUsage: _of_purposes,
    x509.NameConstraints: _of_name_constraints,
    x509.CertificatePolicies: _of_policies,
    x509.PolicyConstraints: _of_policy_constraints,
    x509.CRLDistributionPoints: _of_distribution_points,
    x509.FreshestCRL: _of_distribution_points,
    x509.AuthorityInformationAccess: _of_access,
    x509.SubjectInformationAccess: _of_access,
    x509.SubjectAlternativeName: _of_names,
    x509.IssuerAlternativeName: _of_names,
}
