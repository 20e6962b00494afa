"""Answers about files and tables that a deployment writes itself: nobody has to ask a host for them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha512
from types import MappingProxyType
from typing import Final

from postfix.effective.visitors import CHAIN, Answer, Asked, Kind, Question, Visitor

__all__ = ["DIGEST_DIGITS", "OwnFiles", "own_answer", "visitors_from"]

DIGEST_DIGITS: Final[Mapping[str, int]] = MappingProxyType(
    {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
)
"""How many hex digits a fingerprint has, by digest."""
_OUR_DIGEST: Final = "sha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnFiles:
    """What a deployment has written, or will write, by absolute paths.

    `loading`: keys, chains and authorities, a directory with a slash at its end; they are known to load. `tables`: how
    main.cf names each table, as `texthash:/etc/postfix/transport`, and its keys. `listing`: those tables, and perhaps
    others of whose rows nobody knows yet, that list clients by fingerprint, and have a row.
    """

    loading: frozenset[str] = frozenset()
    tables: Mapping[str, Collection[str]] = field(default_factory=dict)
    listing: frozenset[str] = frozenset()


def visitors_from(address: str, nonce: str, *, has_clients: bool) -> tuple[Visitor, ...]:
    """Return one visitor of each kind from an address; the listed one only if clients are declared.

    Their certificates are stand-ins: `nonce`, letters and digits that nobody else has, makes fingerprints and a domain
    that no table of others knows. That the listed one is in our tables is for `own_answer` to say.
    """
    kinds = [kind for kind in Kind if has_clients or kind is not Kind.LISTED]
    domain = f"{sha512(nonce.encode()).hexdigest()[:24]}.com"
    return tuple(Visitor(kind=kind, address=address, domain=domain, prints=_prints(kind, nonce)) for kind in kinds)


def _prints(kind: Kind, nonce: str) -> dict[str, tuple[str, ...]]:
    return {
        digest: tuple(_print(f"{nonce} {kind} {digest} {what}", size) for what in ("certificate", "key"))
        for digest, size in DIGEST_DIGITS.items()
    }


def _print(text: str, size: int) -> str:
    digits = sha512(text.encode()).hexdigest()[:size].upper()
    return ":".join(digits[at : at + 2] for at in range(0, size, 2))


def own_answer(question: Question, own: OwnFiles, visitors: Collection[Visitor]) -> Answer | None:
    """Return what our own files answer; None where others have to be asked.

    Whom an authority file of others trusts is not asked: it would take a certificate.
    """
    match question.asked:
        case Asked.LOADS | Asked.READABLE:
            return _loads(question, own)
        case Asked.TRUSTED:
            if not _is_among(question.where, own.loading):
                return Answer.UNKNOWN
            return Answer.NO if question.key == Kind.FOREIGN else Answer.YES
        case Asked.LOOKUP:
            return _looked_up(question, own, visitors)
        case _:
            return None


def _looked_up(question: Question, own: OwnFiles, visitors: Collection[Visitor]) -> Answer | None:
    if question.where in own.listing and question.key in _keys_of_listed(visitors):
        return Answer.YES
    if question.where not in own.tables:
        return None
    keys = {key.lower() for key in own.tables[question.where]}
    return Answer.YES if question.key.lower() in keys else Answer.NO


def _loads(question: Question, own: OwnFiles) -> Answer | None:
    """Return whether our files load; what is ours in part the host cannot say before it is there."""
    paths = question.where.split(" ") if question.key == CHAIN else [question.where, *filter(None, [question.beside])]
    are_ours = {_is_among(path, own.loading) for path in paths}
    if are_ours == {True}:
        return Answer.YES
    return Answer.UNKNOWN if True in are_ours else None


def _is_among(path: str, paths: Collection[str]) -> bool:
    return path in paths or any(each.endswith("/") and f"{path}/".startswith(each) for each in paths)


def _keys_of_listed(visitors: Collection[Visitor]) -> frozenset[str]:
    """Return the fingerprints of the listed client in the digest that our rows have."""
    return frozenset(key for each in visitors if each.kind is Kind.LISTED for key in each.prints[_OUR_DIGEST])
