"""Key material in the plugin's memory, from Check to Create and Update of the same resource and run.

The texts are in the resource's own store (`Context.material`). What is made of a text, as a loaded key, is shared by
the whole run; it is found by the digest of the text, so only by who has the text.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from pki.fingerprint import key_reference, public_key_fingerprint_sha256
from pki.generations import IssuerWindow
from pki.issuing import Issuer
from pki.keys import PrivateKey, load_private_key
from pki.lifetime import issue_of
from pki.model import SlotId, Validity
from pki.records import IssuerArgs
from pki.verification import load_chain
from postseal_core.plugin.handler import Context
from postseal_core.values import UNKNOWN, Maybe, is_unknown

__all__ = [
    "HeldIssuer",
    "KeyLoader",
    "held_key",
    "hold_issuer",
    "hold_key",
    "issuer_chain",
    "issuer_of",
    "issuer_window",
    "known_issuer_chain",
    "load_key",
    "use_key_loader",
]

_SELF_SIGNED: Final = "itself"
"""The issuer that readers see of a certificate that signs itself."""

_LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
_FAR: Final = datetime(9999, 12, 31, tzinfo=UTC)
_LOADER: Final = "loader of private keys"


class KeyLoader(Protocol):
    """Reads a private key from its PEM; `what` names it in messages."""

    def __call__(self, pem: str, *, what: str) -> PrivateKey:
        """Return the key."""


@dataclass(frozen=True, slots=True)
class HeldIssuer:
    """The issuer: label for readers, slot as data, and reference of its key (empty: self-signed)."""

    label: str
    slot: SlotId | None
    key: Maybe[str]


@dataclass(frozen=True, slots=True)
class _Loader:
    load: KeyLoader


@dataclass(frozen=True, slots=True)
class _HeldKey:
    """A key by the digest of its PEM; `reference` is the digest of its public half."""

    reference: str
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Chain:
    certificates: list[x509.Certificate]


def load_key(pem: str, *, what: str, context: Context) -> PrivateKey:
    """Turn PEM into a private key with this run's loader; the plugin does it nowhere else."""
    loader = context.memory.get(_Loader, _LOADER)
    return load_private_key(pem, what=what) if loader is None else loader.load(pem, what=what)


def use_key_loader(load: KeyLoader, context: Context) -> None:
    """Replace the key loader of this run, for a review that has no secrets."""
    context.memory.put(_Loader, _LOADER, _Loader(load))


def hold_key(pem: Maybe[str] | None, context: Context) -> Maybe[str]:
    """Keep a handed-in key in memory; return the digest of its public half for the inputs, empty for no key."""
    if pem is None or is_unknown(pem):
        return "" if pem is None else UNKNOWN
    return _held(pem, "private_key_pem", context).reference


def held_key(reference: str, context: Context) -> PrivateKey:
    """Return the key of a reference; raise PostsealError where it was not handed in during this run."""
    return _held(context.material.get(reference), "private key", context).private_key


def hold_issuer(issuer: IssuerArgs | None, context: Context) -> HeldIssuer:
    """Keep the issuer's key and chain in memory; its label changes when a certificate in the chain is re-issued.

    In a preview that renews the issuer its key is known and its chain is not: what it signed stays as it is.
    """
    if issuer is None:
        return HeldIssuer(_SELF_SIGNED, None, "")
    label = " below ".join(
        [_label(issuer.slot.name, issuer.generation), *(_label(link.name, link.generation) for link in issuer.above)]
    )
    if is_unknown(issuer.private_key_pem):
        return HeldIssuer(label, issuer.slot, UNKNOWN)
    held = _held(issuer.private_key_pem, "issuer.private_key_pem", context)
    if not is_unknown(issuer.chain_pem):
        context.material.keep(_chain_reference(label), issuer.chain_pem)
    return HeldIssuer(label, issuer.slot, held.reference)


def issuer_window(issuer: IssuerArgs | None) -> IssuerWindow | None:
    """Return the issuer's validity; an authority that does not exist yet counts as valid for ever."""
    if issuer is None:
        return None
    validity = Validity(
        _LONG_AGO if is_unknown(issuer.not_before) else issuer.not_before,
        _FAR if is_unknown(issuer.not_after) else issuer.not_after,
    )
    hours = issuer.standby_hours
    # What is published for that long exists for that long: it began earlier than it was made.
    usable_from = issue_of(validity) + timedelta(hours=hours) if hours else None
    return IssuerWindow(issuer.slot, validity, usable_from, issuer.slots)


def issuer_of(label: str, key: Maybe[str], context: Context) -> tuple[Issuer | None, list[x509.Certificate]]:
    """Return the issuer and its chain; None and an empty list for a self-signed certificate."""
    if is_unknown(key) or not key:
        return None, []
    chain, private_key = issuer_chain(label, context), held_key(key, context)
    who = (chain[0].fingerprint(SHA256()), key)
    return context.memory.made_once(Issuer, who, lambda: Issuer(chain[0], private_key)), chain


def known_issuer_chain(label: str, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; empty where a preview does not know it yet."""
    return issuer_chain(label, context) if _chain_reference(label) in context.material else []


def issuer_chain(label: str, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; raise PostsealError where it was not handed in during this run."""
    pem = context.material.get(_chain_reference(label))
    digest = hashlib.sha256(pem.encode()).hexdigest()
    return context.memory.made_once(_Chain, digest, lambda: _Chain(load_chain(pem, what="issuer"))).certificates


def _label(name: str, generation: Maybe[int]) -> str:
    return f"{name} of a generation to come" if is_unknown(generation) else f"{name} generation {generation}"


def _chain_reference(label: str) -> str:
    return f"chain of {label}"


def _held(pem: str, what: str, context: Context) -> _HeldKey:
    """Return a key in memory; its reference stays the same when only the PEM is written differently."""

    def load() -> _HeldKey:
        key = load_key(pem, what=what, context=context)
        return _HeldKey(key_reference(public_key_fingerprint_sha256(key.public_key())), key)

    held = context.memory.made_once(_HeldKey, context.material.put(pem), load)
    # Also where another resource had it loaded: each has its own store.
    context.material.keep(held.reference, pem)
    return held
