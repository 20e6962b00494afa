"""An authority that has signed keeps its name: verifiers find an issuer by it (RFC 5280 section 6.1.3 step a)."""

from collections.abc import Iterator

from pki.certificate.records import CertificateArgs, CertificateInputs
from pki.fields import DeclaredCertificate
from pki.model import SUBJECT_PARTS
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = ["is_renamed", "problems_of_renaming"]


def is_renamed(declared: DeclaredCertificate, old: CertificateInputs | None) -> bool:
    """Whether a part of the subject is another one than that of the certificate in use."""
    return old is not None and any(getattr(declared, part) != getattr(old.declared, part) for part in SUBJECT_PARTS)


def problems_of_renaming(
    args: CertificateArgs, declared: DeclaredCertificate, old: CertificateInputs | None
) -> Iterator[Problem]:
    """Report each part of an authority's subject that is declared otherwise than it is in use.

    An authority that was adopted lists that as a change, and its old root stays trusted.
    """
    is_carried = bool(args.adopt_certificate_pem or args.carries_on)
    if old is None or not args.profile.is_authority or is_carried or not is_renamed(declared, old):
        return
    for part in SUBJECT_PARTS:
        said, there = getattr(declared, part), getattr(old.declared, part)
        if said != there:
            yield Problem(
                part,
                f"got {shown(said) if said else 'none'}, and this authority is in use with "
                f"{shown(there) if there else 'none'}: under another name nothing that it has signed would be verified "
                "any more, and whoever has only its old certificate would verify nothing new. Leave its name as it is; "
                "for another name, declare another authority beside it, give everybody its root, move servers and "
                "clients to it, and remove this one in the end",
            )
