"""Find roots of a host that have the key of a distrusted slot, by whatever name they are trusted."""

from collections.abc import Iterator, Mapping

from pki.fingerprint import public_key_fingerprint_sha256
from pki.verification import load_chain
from postseal_core.errors import Problem
from postseal_core.values import Maybe, is_unknown

__all__ = ["problems_of_trust"]


def problems_of_trust(roots: Mapping[str, Maybe[str]], distrusted: Mapping[str, Maybe[str]]) -> Iterator[Problem]:
    """Report each root whose key is that of a distrusted slot; both by name, in PEM, unknown ones are passed over."""
    stolen = {key: slot for slot, pem in distrusted.items() for key in _keys(slot, pem)}
    for name, pem in roots.items():
        for slot in {stolen[key] for key in _keys(name, pem) if key in stolen}:
            yield Problem(
                f"roots.{name}", f"has the key of {slot}, which is distrusted: take this certificate out of `trust`"
            )


def _keys(name: str, pem: Maybe[str]) -> list[str]:
    if is_unknown(pem):
        return []
    return [public_key_fingerprint_sha256(each) for each in load_chain(pem, what=f"root {name}")]
