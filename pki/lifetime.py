"""Lifetime rules: validity, time of renewal, and overlap with the previous certificate."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache

from pki.model import Validity
from postseal_core.bounds import LARGEST_COUNT, LONGEST_HOURS
from postseal_core.errors import Problem
from postseal_core.wording import shown

__all__ = [
    "BEGINS_BEFORE_HOURS",
    "EVERY_RENEWAL",
    "KEEP_KEY",
    "LONGEST_HOURS",
    "LifetimePolicy",
    "begin_of",
    "format_hours",
    "issue_of",
    "parse_fraction",
]

EVERY_RENEWAL = 1
"""`renew_key_every` of a policy that makes a new key at each renewal."""
KEEP_KEY = 0
"""`renew_key_every` of a policy that never changes the key by itself."""

BEGINS_BEFORE_HOURS = 1
"""A certificate begins so many hours before the full hour in which it is issued: the clocks of others lag."""

# When it is issued, a certificate has begun up to so long ago: a renewal point closer to its begin would be due in the
# same run again.
_SHORTEST_INTERVAL_HOURS = BEGINS_BEFORE_HOURS + 1
_LARGEST_PART = 999_999_999
_FRACTION = re.compile(r"-?[0-9]{1,9}/[0-9]{1,9}|-?[0-9]{0,9}\.?[0-9]{1,20}(e-?[0-9]{1,2})?", re.ASCII)
_FRACTION_WORDS = {Fraction(1, 2): "half", Fraction(2, 3): "two thirds", Fraction(3, 4): "three quarters"}


@dataclass(frozen=True, slots=True)
class LifetimePolicy:
    """Lifetime rules of one certificate or of many.

        pki.LifetimePolicy(validity_hours=90 * 24, overlap_hours=7 * 24)

    A change takes effect at the next renewal; it moves the renewal point at once but re-issues nothing. A policy that
    would renew never, or at every run, is refused.

    Args:
        validity_hours: How long a new certificate is valid, not_after minus not_before, in hours; at least 3. It begins
            an hour before the full hour of its issue, for clocks that lag. Default: 8760, 365 days.
        renew_fraction: The part of that after which renewal is due, between 0 and 1. Default: two thirds.
        renew_before_hours: Instead of a part: how many hours before not_after renewal is due. Default: none.
        overlap_hours: How many hours the replaced certificate stays accepted, never beyond its own not_after; at least
            1. Default: 336, 14 days.
        renew_key_every: 1 makes a new key at each renewal, n at every n-th, 0 keeps the key. Default: 1.
    """

    validity_hours: int = 8760
    renew_fraction: Fraction = Fraction(2, 3)
    renew_before_hours: int | None = None
    overlap_hours: int = 336
    renew_key_every: int = EVERY_RENEWAL

    def renew_at(self, validity: Validity) -> datetime:
        """Return the instant from which a certificate is due for renewal.

        Args:
            validity: Both ends of its validity.
        """
        if self.renew_before_hours is not None:
            return validity.not_after - timedelta(hours=self.renew_before_hours)
        lifetime_seconds = int((validity.not_after - validity.not_before).total_seconds())
        return validity.not_before + timedelta(seconds=int(lifetime_seconds * self.renew_fraction))

    def renewal_sentence(self, validity: Validity) -> str:
        """Return why a certificate is due at `renew_at`, as `two thirds of 365 d have passed`.

        Args:
            validity: Both ends of its validity.
        """
        lifetime_hours = int((validity.not_after - validity.not_before).total_seconds()) // 3600
        if self.renew_before_hours is not None:
            return f"{format_hours(self.renew_before_hours)} before not_after"
        part = _FRACTION_WORDS.get(self.renew_fraction, str(self.renew_fraction))
        return f"{part} of {format_hours(lifetime_hours)} have passed"

    def problems(self) -> list[Problem]:
        """Return the reasons why this policy cannot work: no renewal, one at every run, or clients locked out."""
        if unusable := self._unusable_numbers():
            return unusable
        found = []
        if self.validity_hours < _SHORTEST_INTERVAL_HOURS + 1:
            message = (
                f"got {self.validity_hours}, expected at least {_SHORTEST_INTERVAL_HOURS + 1} hours: it begins up to "
                "two hours before it is issued, for clocks that lag"
            )
            found.append(Problem("validity_hours", message))
        if self.overlap_hours < 1:
            found.append(
                Problem(
                    "overlap_hours",
                    f"got {self.overlap_hours}, expected at least 1: without an overlap every renewal locks the client "
                    "out (to withdraw a certificate at once, revoke it)",
                )
            )
        if self.renew_key_every < 0:
            found.append(
                Problem(
                    "renew_key_every", f"got {self.renew_key_every}, expected 0 (keep the key) or a positive number"
                )
            )
        return found + self._renewal_point_problems()

    def _unusable_numbers(self) -> list[Problem]:
        """Find numbers too large to compute dates with."""
        hours = {name: getattr(self, name) for name in ("validity_hours", "renew_before_hours", "overlap_hours")}
        found = [
            Problem(name, f"got {shown(value)}, expected at most {LONGEST_HOURS} hours, a hundred years")
            for name, value in hours.items()
            if value is not None and not -LONGEST_HOURS <= value <= LONGEST_HOURS
        ]
        if not -LARGEST_COUNT <= self.renew_key_every <= LARGEST_COUNT:
            message = f"got {shown(self.renew_key_every)}, expected at most {LARGEST_COUNT}, or 0 to keep the key"
            found.append(Problem("renew_key_every", message))
        if max(abs(self.renew_fraction.numerator), self.renew_fraction.denominator) > _LARGEST_PART:
            found.append(Problem("renew_fraction", "expected a fraction of at most 9 digits each, as 2/3"))
        return found

    def _renewal_point_problems(self) -> list[Problem]:
        if self.renew_before_hours is not None:
            return self._renew_before_problems(self.renew_before_hours)
        if not 0 < self.renew_fraction < 1:
            return [
                Problem(
                    "renew_fraction",
                    f"got {self.renew_fraction}, expected a part of the lifetime between 0 and 1, as 2/3: "
                    "0 would renew at every run, 1 never in time",
                )
            ]
        if self.validity_hours * self.renew_fraction < _SHORTEST_INTERVAL_HOURS:
            return [
                Problem(
                    "renew_fraction",
                    f"{self.renew_fraction} of {self.validity_hours} h is under {_SHORTEST_INTERVAL_HOURS} hours, "
                    "which would renew at every run; use a later point or a longer validity_hours",
                )
            ]
        return []

    def _renew_before_problems(self, renew_before_hours: int) -> list[Problem]:
        if renew_before_hours < 1:
            return [
                Problem(
                    "renew_before_hours",
                    f"got {renew_before_hours}, expected at least 1: the certificate would never be renewed in time",
                )
            ]
        if renew_before_hours > self.validity_hours - _SHORTEST_INTERVAL_HOURS:
            return [
                Problem(
                    "renew_before_hours",
                    f"got {renew_before_hours} with validity_hours {self.validity_hours}: the certificate would be "
                    f"renewed at every run; use at most {self.validity_hours - _SHORTEST_INTERVAL_HOURS}",
                )
            ]
        return []


def begin_of(now: datetime) -> datetime:
    """Return when a certificate begins that is issued at `now`; by the full hour, so that a preview and `up` agree.

    Args:
        now: The instant of issue.
    """
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=BEGINS_BEFORE_HOURS)


def issue_of(validity: Validity) -> datetime:
    """Return the full hour in which a certificate with these dates was issued here.

    Args:
        validity: Both ends of its validity; of one that was made elsewhere nobody knows when.
    """
    return validity.not_before + timedelta(hours=BEGINS_BEFORE_HOURS)


def format_hours(hours: int) -> str:
    """Return a number of hours as whole days where it is that (`365 d`), in hours otherwise (`36 h`)."""
    return f"{hours // 24} d" if hours and hours % 24 == 0 else f"{hours} h"


def parse_fraction(text: str | float) -> Fraction:
    """Return a fraction from `2/3`, `0.5` or a number; raise ValueError for anything else.

    Text is judged before it is computed: `1e999999999` would be a number of a billion digits.
    """
    try:
        return _fraction(text if isinstance(text, str) else repr(float(text)))
    except (ValueError, ArithmeticError):
        raise ValueError(f"{shown(text)} is not a fraction; write it as 2/3 or 0.66") from None


@lru_cache(maxsize=64)
def _fraction(text: str) -> Fraction:
    """Parse a fraction once; a roster asks for the same few for each of its clients."""
    if not _FRACTION.fullmatch(text):
        raise ValueError(text)
    return Fraction(text).limit_denominator(1000)
