"""A certificate by request: its key was made elsewhere and stays there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pki.certificate.records import CertificateArgs, CertificateInputs
from pki.declared import named
from pki.fields import NOTHING_SAID, DeclaredCertificate
from pki.fingerprint import key_reference
from pki.records import IssuedCertificate
from pki.request import load_request, problems_of_requested_names, sentence_of_shared_key
from postseal_core.errors import CertificateError, Problem
from postseal_core.plugin.handler import Context
from postseal_core.values import is_unknown

__all__ = ["hold_request", "impossible_request", "refuse_revoked_key"]


@dataclass(frozen=True, slots=True)
class _Owner:
    """Who was first in a run to bring a request for a key."""

    name: str


def impossible_request(args: CertificateArgs) -> Iterator[Problem]:
    """Report arguments that cannot stand beside a certificate request."""
    if not args.request_pem:
        return
    if args.issuer is None:
        yield Problem("request_pem", "a certificate that signs itself needs its key here: name an authority")
    if args.private_key_pem is not None:
        yield Problem("request_pem", "got a private key as well; hand in one of the two")
    if args.handover != "":
        yield Problem("request_pem", "a certificate that is taken over brings its own key along; leave this out")


def hold_request(args: CertificateArgs, context: Context, problems: list[Problem]) -> tuple[str, DeclaredCertificate]:
    """Keep a request in memory; return the reference of its key, and the declaration with that key's algorithm."""
    try:
        request = load_request(args.request_pem, what=f"request of {args.name}")
        problems += problems_of_requested_names(request, named(args.declared))
    except CertificateError as error:
        problems.append(Problem("request_pem", str(error)))
        return "", args.declared
    owner = context.memory.keep_first(_Owner, request.key_reference, _Owner(args.name))
    if owner.name != args.name:
        problems.append(Problem("request_pem", sentence_of_shared_key(owner.name)))
    declared, algorithm = args.declared, request.key_algorithm
    if declared.key_algorithm not in (NOTHING_SAID.key_algorithm, algorithm):
        problems.append(
            Problem("key_algorithm", f"got {declared.key_algorithm}, but the request is for a key of {algorithm}")
        )
    context.material.keep(request.key_reference, args.request_pem)
    return request.key_reference, replace(declared, key_algorithm=algorithm)


def refuse_revoked_key(inputs: CertificateInputs, old: IssuedCertificate) -> None:
    """Refuse a request whose key belongs to a revoked generation.

    Raises:
        CertificateError: the request is for such a key.
    """
    if not inputs.is_key_elsewhere:
        return
    for each in old.revoked:
        fingerprint = each.identity.public_key_fingerprint_sha256
        if each.schedule.is_distrusted:  # its issuer's key is known to others, not this one
            continue
        if not is_unknown(fingerprint) and key_reference(fingerprint) == inputs.private_key:
            raise CertificateError(
                f"request of {inputs.name}: is for the key of generation {each.schedule.generation}, which was revoked "
                f"for {each.schedule.reason}; make a new key where the request comes from, and a request for that"
            )
