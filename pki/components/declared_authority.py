"""Read the arguments of an authority, root or intermediate, that all its slots share."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal

import pulumi
from pydantic import StrictStr

from pki.adoptable import faults_of_authority
from pki.adoption import changes_made, problems_of_differences, settled
from pki.components.reading import is_missing, read_fields
from pki.crl_urls import problems_of_declared_crl_urls
from pki.encrypted_keys import opened_private_key_pem
from pki.fields import DeclaredCertificate, SaidBy
from pki.keys import algorithm_of
from pki.lifetime import LifetimePolicy
from pki.model import FIRST_SLOT, AuthorityChange, NameConstraints, RevocationReason
from pki.rollover import (
    Slots,
    common_name_of_slot,
    problems_of_cross_signing,
    problems_of_revoked_slot,
    problems_of_slot_names,
)
from pki.third_party import ThirdParty
from pki.verification import load_certificate
from postseal_core.arguments import Arguments
from postseal_core.errors import CertificateError, Problem
from postseal_core.reading import Raw, Section
from postseal_core.wording import shown

__all__ = ["AdoptedAuthority", "DeclaredAuthority", "read_authority"]

_SLOTS: Final = "pki.Slots(...)"
_NAME_CONSTRAINTS: Final = "pki.NameConstraints(...)"
_ADOPTED: Final = "pki.AdoptedAuthority(...)"


@dataclass(frozen=True, slots=True)
class AdoptedAuthority:
    """An authority that was made elsewhere (with openssl, easy-rsa) and is taken over with its key and certificate.

        old = pki.AdoptedAuthority(Path("ca.pem").read_text(), config.require_secret("ca-key"))

    The certificate stays as it is until its renewal is due, and each renewal keeps its name, byte for byte, and its
    extensions. The authority need not declare what the certificate says; what it declares otherwise is refused, unless
    it is a `change`.

    Args:
        certificate_pem: The certificate in PEM.
        private_key_pem: Its key in PEM; a secret, which may be an output. Default: none, for once the first slot is
            withdrawn; the certificate stays then, for later slots carry it on.
        private_key_passphrase: The passphrase of the key, where it is encrypted (PKCS#8, or as OpenSSL did before); a
            secret, which may be an output. Default: the key is in clear.
        change: What the authority declares otherwise than the certificate: `subject`, `path_length`,
            `name_constraints`. Its certificate is then issued anew with the same key. Default: nothing.
    """

    certificate_pem: str
    private_key_pem: pulumi.Input[str] | None = field(default=None, repr=False)
    private_key_passphrase: pulumi.Input[str] | None = field(default=None, repr=False)
    change: Sequence[AuthorityChange | Literal["subject", "path_length", "name_constraints"]] = ()

    def opened_key_pem(self) -> pulumi.Output[str]:
        """Return the key in clear, as a secret."""
        both = pulumi.Output.all(self.private_key_pem or "", self.private_key_passphrase or "")
        return pulumi.Output.secret(both.apply(lambda values: _opened(*values)))


@dataclass(frozen=True, slots=True)
class DeclaredAuthority:
    """The checked arguments of an authority, shared by all its slots."""

    content: DeclaredCertificate
    slots: Slots
    crl_urls: tuple[str, ...]
    adopt: AdoptedAuthority | None
    third_party: ThirdParty | None = None

    @property
    def listing(self) -> tuple[int, ...]:
        """The slots that sign revocation lists; one whose certificate is awaited cannot yet."""
        unanswered = self.third_party.unanswered(self.slots) if self.third_party else frozenset()
        return tuple(each for each in self.slots.listing if each not in unanswered)

    def content_of(self, number: int) -> DeclaredCertificate:
        """Return the certificate content of a slot; from the second on, the common name ends with its number.

        Where a certificate is carried on, the resource puts the number behind the name that stands there.
        """
        is_carried = self.adopt is not None
        name = self.content.common_name if is_carried else common_name_of_slot(self.content.common_name, number)
        is_retiring = number == self.slots.retiring
        revoke = self.slots.revoke_retiring if is_retiring else RevocationReason.NOT_REVOKED
        return replace(self.content, common_name=name, revoke=revoke)


def _opened(pem: str, passphrase: str) -> str:
    try:
        return opened_private_key_pem(pem, passphrase, what="adopt.private_key_pem")
    except CertificateError as error:
        raise pulumi.RunError(str(error)) from None


class _OwnArguments(Section):
    """Plain arguments that are no fields of the authority's own certificate."""

    crl_urls: tuple[StrictStr, ...] = ()


def read_authority(
    arguments: Arguments,
    given: Raw,
    *,
    name: str,
    name_constraints: NameConstraints | None,
    crl_urls: Sequence[str],
    lifetime: LifetimePolicy | None,
    slots: Slots | None,
    adopt: AdoptedAuthority | None,
    is_root: bool,
) -> DeclaredAuthority:
    """Read the arguments of an authority; raise ArgumentError with every mistake that shows without its issuer."""
    content = read_fields(arguments, SaidBy.AUTHORITY, given, lifetime)
    if is_missing(given, "common_name") and adopt is None:
        arguments.add([Problem("common_name", "missing; add it")])
    constraints = arguments.record("name_constraints", name_constraints, NameConstraints, _NAME_CONSTRAINTS)
    numbers = arguments.record("slots", slots, Slots, _SLOTS)
    own = arguments.section({"crl_urls": crl_urls}, _OwnArguments)
    if adopt is not None and arguments.expect("adopt", adopt, AdoptedAuthority, _ADOPTED):
        arguments.expect("adopt.certificate_pem", adopt.certificate_pem, str, "a certificate in PEM")
        arguments.expect_each("adopt.change", adopt.change, str, f"one of {', '.join(AuthorityChange)}")
        if adopt.private_key_pem is not None or FIRST_SLOT in (numbers or Slots()).numbers:
            arguments.expect("adopt.private_key_pem", adopt.private_key_pem, (str, pulumi.Output), "a key in PEM")
        if adopt.private_key_passphrase is not None:
            passphrase = adopt.private_key_passphrase
            arguments.expect("adopt.private_key_passphrase", passphrase, (str, pulumi.Output), "a passphrase")
    arguments.refuse()
    content = _constrained(content, constraints)
    if adopt is not None:
        content = _settled(arguments, content, adopt, is_algorithm_said="key_algorithm" in given)
    elif not is_root and "path_length" not in given:
        content = replace(content, path_length=0)
    declared = DeclaredAuthority(content, numbers or Slots(), own.crl_urls, adopt)
    problems = [
        *declared.slots.problems(),
        *problems_of_cross_signing(declared.slots, content.path_length, is_root=is_root),
        *problems_of_revoked_slot(declared.slots, is_root=is_root),
    ]
    arguments.add(problem.below("slots") for problem in problems)
    arguments.add(problems_of_slot_names(content.common_name, declared.slots))
    arguments.add(problems_of_declared_crl_urls(declared.crl_urls, name, declared.slots))
    return declared


def _settled(
    arguments: Arguments, content: DeclaredCertificate, adopt: AdoptedAuthority, *, is_algorithm_said: bool
) -> DeclaredCertificate:
    """Return the content as the adopted certificate has it, but for the changes; problems go to `arguments`."""
    try:
        certificate = load_certificate(adopt.certificate_pem, what="certificate")
        arguments.add(Problem("adopt.certificate_pem", each) for each in faults_of_authority(certificate))
        arguments.refuse()
        algorithm = algorithm_of(certificate.public_key())
    except CertificateError as error:
        arguments.add([Problem("adopt.certificate_pem", str(error))])
        arguments.refuse()
        raise
    changes = [each for each in AuthorityChange if each in adopt.change]
    arguments.add(
        Problem("adopt.change", f"got {shown(each)}, expected one of {', '.join(AuthorityChange)}")
        for each in adopt.change
        if each not in changes
    )
    arguments.add(problems_of_differences(content, certificate, changes))
    if is_algorithm_said and content.key_algorithm is not algorithm:
        arguments.add([Problem("key_algorithm", f"the adopted certificate's key is {algorithm}; leave this out")])
    arguments.refuse()
    content = settled(content, certificate, changes_made(content, certificate, changes))
    return replace(content, key_algorithm=algorithm)


def _constrained(content: DeclaredCertificate, constraints: NameConstraints | None) -> DeclaredCertificate:
    said = {each.name: getattr(constraints, each.name) for each in fields(NameConstraints)} if constraints else {}
    return replace(content, **said)
