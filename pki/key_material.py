"""Key material in the plugin's memory: put there by Check, taken out by Create and Update of the same run."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from cryptography import x509

from pki.fingerprint import public_key_fingerprint_sha256
from pki.generations import IssuerWindow
from pki.issuing import Issuer
from pki.keys import PrivateKey, load_private_key
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
    """Who signs: a label for readers, the slot as data, and the reference of its key (empty: no other key signs)."""

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
    """Return a private key, read by this run's loader: the only place where the plugin turns a PEM into a key."""
    loader = context.memory.get(_Loader, _LOADER)
    return load_private_key(pem, what=what) if loader is None else loader.load(pem, what=what)


def use_key_loader(load: KeyLoader, context: Context) -> None:
    """Read the keys of this run in another way, as a review that has no secrets must."""
    context.memory.put(_Loader, _LOADER, _Loader(load))


def hold_key(pem: Maybe[str] | None, context: Context) -> Maybe[str]:
    """Put a key that was handed in into memory; the inputs keep the digest of its public half, empty for no key."""
    if pem is None or is_unknown(pem):
        return "" if pem is None else UNKNOWN
    return _held(pem, "private_key_pem", context).reference


def held_key(reference: str, context: Context) -> PrivateKey:
    """Return the key of a reference; raise PostsealError where it was not handed in during this run."""
    return _held(context.material.get(reference), "private key", context).private_key


def hold_issuer(issuer: IssuerArgs | None, context: Context) -> HeldIssuer:
    """Put the issuer's key and chain into memory; its label names generations, so that a new chain is noticed.

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
    """Return when the issuer is valid; an authority that does not exist yet is taken to be valid for ever."""
    if issuer is None:
        return None
    validity = Validity(
        _LONG_AGO if is_unknown(issuer.not_before) else issuer.not_before,
        _FAR if is_unknown(issuer.not_after) else issuer.not_after,
    )
    hours = issuer.standby_hours
    return IssuerWindow(issuer.slot, validity, validity.not_before + timedelta(hours=hours) if hours else None)


def issuer_of(label: str, key: Maybe[str], context: Context) -> tuple[Issuer | None, list[x509.Certificate]]:
    """Return who signs, with the chain above; nobody and nothing for what signs itself."""
    if is_unknown(key) or not key:
        return None, []
    chain, private_key = issuer_chain(label, context), held_key(key, context)
    return context.memory.made_once(Issuer, (label, key), lambda: Issuer(chain[0], private_key)), chain


def known_issuer_chain(label: str, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; empty where a preview does not know it yet."""
    return issuer_chain(label, context) if _chain_reference(label) in context.material else []


def issuer_chain(label: str, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; raise PostsealError where it was not handed in during this run."""
    pem = context.material.get(_chain_reference(label))
    return context.memory.made_once(_Chain, label, lambda: _Chain(load_chain(pem, what="issuer"))).certificates


def _label(name: str, generation: Maybe[int]) -> str:
    return f"{name} of a generation to come" if is_unknown(generation) else f"{name} generation {generation}"


def _chain_reference(label: str) -> str:
    return f"chain of {label}"


def _held(pem: str, what: str, context: Context) -> _HeldKey:
    """Return a key in memory; its reference stays the same when only the PEM is written differently."""

    def load() -> _HeldKey:
        key = load_key(pem, what=what, context=context)
        reference = "sha256:" + public_key_fingerprint_sha256(key.public_key()).replace(":", "").lower()
        context.material.keep(reference, pem)
        return _HeldKey(reference, key)

    return context.memory.made_once(_HeldKey, context.material.put(pem), load)
