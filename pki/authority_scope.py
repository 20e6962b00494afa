"""Compare how far a signed authority may go with what was declared: path length, names, usages.

Wider than declared is refused: whoever has the key could do what the stack file says is out of reach. Narrower is
refused where nothing could be issued; other limits hold for every name below, when it is declared.
"""

from collections.abc import Iterator, Sequence

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.authority_request import PURPOSES, PurposeWord
from pki.constraints import IssuerLimits, limits_of_certificate, limits_of_declaration
from pki.extensions import extension_of, name_in_words
from pki.model import CertificateDeclaration
from pki.name_kinds import NAME_KINDS

__all__ = ["faults_of_scope"]


def faults_of_scope(
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    declaration: CertificateDeclaration,
    purposes: tuple[PurposeWord, ...],
) -> Iterator[str]:
    """Yield in a sentence each how an authority differs from its declaration.

    `chain`: its certificate and those above it, without the root. `roots`: those that have signed the last one; it is
    enough if one of them leaves room. `purposes`: declared extended key usages; none: both
    servers and clients are issued.
    """
    yield from _of_path_length(chain[0], declaration.path_length)
    lines = [[*chain[1:], root] for root in roots] or [[*chain[1:]]]
    yield from min(([*_of_room(line, declaration.path_length or 0)] for line in lines), key=len)
    yield from _of_names(chain[0], declaration)
    yield from _of_purposes(chain, purposes)


def _of_path_length(certificate: x509.Certificate, declared: int | None) -> Iterator[str]:
    basic = extension_of(certificate, x509.BasicConstraints)
    got = basic.path_length if basic else None
    if got != declared:
        is_wider = got is None or (declared is not None and got > declared)
        words = "no path length" if got is None else f"path length {got}"
        yield (
            f"has {words}, and declared is {_words_of_length(declared)}: it is {'wider' if is_wider else 'narrower'} "
            f"than the stack says; have it signed as requested, or declare what was signed "
            f"({'leave path_length out' if got is None else f'path_length: {got}'})"
        )


def _of_room(line: Sequence[x509.Certificate], needed: int) -> Iterator[str]:
    """Report authorities above whose path length leaves too little; `needed`: how many are to stand below ours."""
    for depth, above in enumerate(line, 1):
        limit = limits_of_certificate(above).path_length
        if limit is not None and limit - depth < needed:
            fix = f"declare path_length: {limit - depth}" if limit >= depth else "have it signed by a higher authority"
            yield (
                f"{name_in_words(above.subject)} may stand above {limit} authorities, and there would be "
                f"{depth + needed}: {fix}"
            )


def _words_of_length(length: int | None) -> str:
    return "none (no limit)" if length is None else f"path_length {length}"


def _of_names(certificate: x509.Certificate, declaration: CertificateDeclaration) -> Iterator[str]:
    """Report constraints that are wider than declared; narrower ones hold for every name below, one by one."""
    declared, got = limits_of_declaration("", declaration), limits_of_certificate(certificate)
    missing = [*_wider(declared, got)]
    if missing:
        yield (
            f"lacks name constraints that are declared ({', '.join(missing)}): with its key names could be certified "
            "that the stack says are out of reach; have it signed as requested, or declare what was signed"
        )


def _wider(declared: IssuerLimits, got: IssuerLimits) -> Iterator[str]:
    """Yield the kinds of names of which the certificate allows more than the declaration does."""
    for kind in NAME_KINDS:
        if kind.field in got.closed:
            continue
        permitted, allowed = declared.permitted.get(kind.field, ()), got.permitted.get(kind.field, ())
        excluded, forbidden = declared.excluded.get(kind.field, ()), got.excluded.get(kind.field, ())
        is_open = kind.field in declared.closed
        is_wide = bool(permitted) and not (allowed and all(_is_within(kind.field, each, permitted) for each in allowed))
        if is_open or is_wide or not all(_is_within(kind.field, each, forbidden) for each in excluded):
            yield kind.field


def _is_within(field_name: str, base: str, others: Sequence[str]) -> bool:
    """Whether all that a constraint covers lies within one of the others; cannot tell is no."""
    is_tree = field_name == "dns_names"
    return any(base == other or (is_tree and base.endswith(f".{other.lstrip('.')}")) for other in others)


def _of_purposes(chain: Sequence[x509.Certificate], purposes: tuple[PurposeWord, ...]) -> Iterator[str]:
    wanted = {PURPOSES[each] for each in purposes or PurposeWord}
    words = {PURPOSES[each]: each.value for each in PurposeWord}
    for each in chain:
        usage = extension_of(each, x509.ExtendedKeyUsage)
        if usage is None:
            continue
        # OpenSSL does not take anyExtendedKeyUsage of an authority for the purposes that it asks for.
        if lacking := sorted(words[one] for one in wanted if one not in usage):
            yield (
                f"extendedKeyUsage of {name_in_words(each.subject)} lacks {', '.join(lacking)}, so verifiers would "
                "refuse what is issued below it: have it signed without extendedKeyUsage or with what is missing, or "
                "declare under extended_key_usage that only the others are needed"
            )
    own = extension_of(chain[0], x509.ExtendedKeyUsage)
    is_any = own is not None and ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in own
    if purposes and (own is None or (is_any and all(each in own for each in wanted))):
        got = "no extendedKeyUsage" if own is None else "anyExtendedKeyUsage"
        yield (
            f"has {got}, and declared is {', '.join(purposes)}: it is wider than the stack says; "
            "have it signed as requested, or leave extended_key_usage out"
        )
