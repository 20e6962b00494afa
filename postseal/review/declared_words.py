"""What is declared otherwise of a certificate that stays as it is, and from when that counts; pure."""

from dataclasses import fields
from datetime import datetime
from typing import Final

from pki.fields import DeclaredCertificate
from pki.lifetime import LifetimePolicy, format_hours
from postseal.review.words import day

__all__ = ["declared_otherwise"]

_HOURS: Final = "_hours"
_POINT: Final = frozenset({"renew_fraction", "renew_before_hours"})
_OF_LIFETIME: Final = frozenset(each.name for each in fields(LifetimePolicy))


def declared_otherwise(
    before: DeclaredCertificate, after: DeclaredCertificate, renewal: datetime | None, *, told: str = ""
) -> str:
    """Return which fields are declared otherwise where nothing is issued for them; empty where none is.

    `renewal`: when the next certificate is due, None where none is. `told`: what a reader was told already; then only
    a lifetime has to be added.
    """
    pairs = [(each.name, getattr(before, each.name), getattr(after, each.name)) for each in fields(DeclaredCertificate)]
    changed = [(name, f"{name.removesuffix(_HOURS)} {_value(name, was)} → {_value(name, will)}")
               for name, was, will in pairs if was != will]  # fmt: skip
    # A point of renewal counts at once: where it moves, a reader is told so.
    later = _OF_LIFETIME - _POINT if told else _OF_LIFETIME
    lifetime = ", ".join(words for name, words in changed if name in later)
    others = ", ".join(words for name, words in changed if name not in _OF_LIFETIME)
    since = f"from the renewal on, due {day(renewal)}" if renewal else "for the next one"
    words = [] if told or not others else [f"declared otherwise for the next one: {others}"]
    words += [f"{since}: {lifetime}"] if lifetime else []
    return "; ".join(["nothing is issued now", *words] if words and not told else words)


def _value(name: str, value: object) -> str:
    if value in (None, "", ()):
        return "(not set)"
    return format_hours(value) if name.endswith(_HOURS) and isinstance(value, int) else str(value)
