"""Judge a host's own certificates by what its files hold; no private key gets here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pki.extensions import extension_of, is_self_issued
from pki.fingerprint import certificate_fingerprint_sha256
from pki.keys import PublicKey, kind_of_key
from pki.model import Validity
from pki.third_party_answer import problems_of_missing_issuer
from pki.verification import common_instant, load_certificate, problems_of_imported_chain
from postfix.on_host import CertificateOnHost, SeenCertificate, Sighting, Source
from postfix.public_file import PUBLIC_KEY, PublicFile, pem_blocks
from postseal_core.bounds import MOST_CERTIFICATES
from postseal_core.errors import CertificateError

__all__ = ["PublicChain", "chains_in", "sight"]


def sight(declared: CertificateOnHost, sources: Sequence[Source], files: Mapping[str, PublicFile]) -> Sighting:
    """Return what the files hold, and what is wrong with that whatever the time is; `faults_at` judges the dates."""
    hidden = [path for path, file in files.items() if file.is_hidden]
    if hidden:
        return Sighting(declared=declared, cannot_tell=f"only root may read {', '.join(hidden)}")
    faults = [f"{path} {file.fault}" for path, file in files.items() if file.fault]
    chains: list[PublicChain] = []
    for source in sources:
        if not any(files[path].fault for path in source.files):
            found, fault = chains_in(source, files)
            chains += found
            faults += [fault] if fault else []
    for chain in chains:
        faults += chain.faults(declared.public_names)
    faults += _faults_of_kinds(chains)
    warnings = [f"{path} has a private key that every user of the host may read: chmod o= it" for path in _open(files)]
    return Sighting(
        declared=declared,
        certificates=tuple(chain.seen for chain in chains),
        faults=tuple(dict.fromkeys(faults)),
        warnings=(*warnings, *(warning for chain in chains for warning in chain.warnings())),
    )


@dataclass(frozen=True, slots=True)
class PublicChain:
    """A key's public half, and the certificates behind it."""

    files: tuple[str, ...]
    public_key: PublicKey
    certificates: tuple[x509.Certificate, ...]

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate that belongs to the key."""
        return self.certificates[0]

    @property
    def seen(self) -> SeenCertificate:
        """What is told of the certificate."""
        names = extension_of(self.leaf, x509.SubjectAlternativeName)
        return SeenCertificate(
            kind=kind_of_key(self.public_key),
            subject=self.leaf.subject.rfc4514_string(),
            issuer=self.leaf.issuer.rfc4514_string(),
            dns_names=tuple(names.get_values_for_type(x509.DNSName)) if names else (),
            validity=Validity(self.leaf.not_valid_before_utc, self.leaf.not_valid_after_utc),
            fingerprint_sha256=certificate_fingerprint_sha256(self.leaf),
        )

    def faults(self, public_names: Sequence[str]) -> Iterator[str]:
        """Yield why no client would take the certificate, or Postfix not serve it."""
        problems = problems_of_imported_chain(
            self.certificates[:1],
            public_key=self.public_key,
            dns_names=public_names,
            now=self.leaf.not_valid_before_utc,
            may_sign_itself=True,
        )
        yield from (f"{', '.join(self.files)}: {problem.message}" for problem in problems)

    def warnings(self) -> Iterator[str]:
        """Yield what is odd above the leaf: many clients find a way all the same."""
        chain = self.certificates
        if is_self_issued(chain[-1]):
            chain = chain[:-1] or chain
        problems = [
            *problems_of_imported_chain(
                chain, public_key=self.public_key, dns_names=(), now=common_instant(chain), may_sign_itself=True
            ),
            *problems_of_missing_issuer(chain),
        ]
        above = (problem for problem in problems if problem.path != "chain[0]")
        yield from dict.fromkeys(f"{', '.join(self.files)}: {each.path} {each.message}" for each in above)


def chains_in(source: Source, files: Mapping[str, PublicFile]) -> tuple[list[PublicChain], str]:
    """Return the chains of a source, and why it cannot be used."""
    names = ", ".join(dict.fromkeys(source.files))
    groups: list[list[str]] = []
    for kind, block in _blocks(source, files):
        if kind == PUBLIC_KEY:
            groups.append([block])
        elif not groups:
            return [], f"{names}: the private key must stand first, then its certificate; else Postfix turns TLS off"
        else:
            groups[-1].append(block)
    if not groups:
        return [], f"{names}: there is no private key"
    if any(len(group) == 1 for group in groups):
        return [], f"{names}: there is no certificate behind the private key"
    if any(len(group) > MOST_CERTIFICATES for group in groups):
        return [], f"{names}: there are more than {MOST_CERTIFICATES} certificates in one chain; leave out others"
    try:
        return [_chain(source, group) for group in groups], ""
    except CertificateError as error:
        return [], str(error)


def _blocks(source: Source, files: Mapping[str, PublicFile]) -> Iterator[tuple[str, str]]:
    found = {path: [*pem_blocks(files[path].pem)] for path in source.files}
    if not source.is_pair:
        yield from (block for path in source.files for block in found[path])
        return
    # Of a pair, Postfix takes the key from one file and the certificates from the other, in whatever order they stand.
    key_file, certificate_file = source.files
    yield from [block for block in found[key_file] if block[0] == PUBLIC_KEY][:1]
    yield from (block for block in found[certificate_file] if block[0] != PUBLIC_KEY)


def _chain(source: Source, group: Sequence[str]) -> PublicChain:
    key, *certificates = group
    files = tuple(dict.fromkeys(source.files))
    return PublicChain(
        files,
        cast("PublicKey", serialization.load_pem_public_key(key.encode())),
        tuple(load_certificate(pem, what=", ".join(files)) for pem in certificates),
    )


def _faults_of_kinds(chains: Sequence[PublicChain]) -> Iterator[str]:
    first: dict[str, PublicChain] = {}
    for chain in chains:
        kind = kind_of_key(chain.public_key)
        other = first.setdefault(kind, chain)
        if other.leaf != chain.leaf:
            yield f"{', '.join(chain.files)}: there are two certificates with {kind} keys; Postfix serves the last one"


def _open(files: Mapping[str, PublicFile]) -> Iterator[str]:
    return (path for path, file in files.items() if file.is_open)
