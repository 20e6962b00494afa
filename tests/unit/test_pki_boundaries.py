"""Constants and limits of certificates on both sides, against the documents that set them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from pki.lifetime import LifetimePolicy
from pki.model import SUBJECT_PARTS, Profile, Validity
from pki.names import problems_of_declaration
from pki.profiles import PROFILES
from tests.support.specimens import declare

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, YEAR = 24, 365 * 24


@pytest.mark.parametrize(
    ("part", "oid", "most"),
    [
        ("country", "2.5.4.6", 2),
        ("state_or_province", "2.5.4.8", 128),
        ("locality", "2.5.4.7", 128),
        ("organization", "2.5.4.10", 64),
        ("organizational_unit", "2.5.4.11", 64),
        ("common_name", "2.5.4.3", 64),
    ],
)
def test_parts_of_a_subject_have_the_bounds_of_rfc_5280(part: str, oid: str, most: int) -> None:
    """Appendix A.1: ub-country-name-alpha-length, ub-state-name and the others."""
    assert (SUBJECT_PARTS[part].oid, SUBJECT_PARTS[part].most) == (oid, most)


def test_a_subject_has_no_other_parts() -> None:
    """In the order of X.521."""
    parts = ["country", "state_or_province", "locality", "organization", "organizational_unit", "common_name"]
    assert list(SUBJECT_PARTS) == parts


@pytest.mark.parametrize(
    "part", ["state_or_province", "locality", "organization", "organizational_unit", "common_name"]
)
@pytest.mark.parametrize("over", [0, 1])
def test_a_part_may_be_as_long_as_its_bound_and_no_longer(part: str, over: int) -> None:
    """Counted in characters."""
    text = "x" * (SUBJECT_PARTS[part].most + over)
    declared = declare(Profile.ROOT)
    subject = type(declared.subject)(**{"common_name": "CA", part: text})
    assert len(problems_of_declaration(declare(Profile.ROOT, subject=subject))) == over


@pytest.mark.parametrize(
    ("profile", "default", "most"),
    [
        (Profile.ROOT, 10 * YEAR, 30 * YEAR),
        (Profile.INTERMEDIATE, 5 * YEAR, 30 * YEAR),
        (Profile.SERVER, 365 * DAY, 825 * DAY),
        (Profile.CLIENT, 365 * DAY, 825 * DAY),
        (Profile.SERVER_AND_CLIENT, 365 * DAY, 825 * DAY),
    ],
)
def test_lifetimes_are_those_of_the_documentation(profile: Profile, default: int, most: int) -> None:
    """What a certificate has that says nothing, and what it may have at most; in hours."""
    assert (PROFILES[profile].default_validity_hours, PROFILES[profile].max_validity_hours) == (default, most)


def paths(policy: LifetimePolicy) -> list[str]:
    """Return which fields are refused."""
    return [problem.path for problem in policy.problems()]


@pytest.mark.parametrize(
    ("good", "bad", "path"),
    [
        ({"renew_before_hours": 1}, {"renew_before_hours": 0}, "renew_before_hours"),
        ({"renew_before_hours": 8758}, {"renew_before_hours": 8759}, "renew_before_hours"),
        (
            {"validity_hours": 200, "renew_fraction": Fraction(1, 100)},
            {"validity_hours": 199, "renew_fraction": Fraction(1, 100)},
            "renew_fraction",
        ),
        ({"renew_fraction": Fraction(8759, 8760)}, {"renew_fraction": Fraction(1)}, "renew_fraction"),
        ({"renew_fraction": Fraction(1, 4380)}, {"renew_fraction": Fraction(0)}, "renew_fraction"),
        ({"overlap_hours": 1}, {"overlap_hours": 0}, "overlap_hours"),
        ({"renew_key_every": 0}, {"renew_key_every": -1}, "renew_key_every"),
    ],
)
def test_a_policy_is_accepted_up_to_its_limit(good: dict[str, object], bad: dict[str, object], path: str) -> None:
    """The last value that is good, and the first that is not."""
    assert paths(LifetimePolicy(**good)) == []  # type: ignore[arg-type]  # one field each
    assert paths(LifetimePolicy(**bad)) == [path]  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (Fraction(1, 2), "half"),
        (Fraction(2, 3), "two thirds"),
        (Fraction(3, 4), "three quarters"),
        (Fraction(1, 4), "1/4"),
    ],
)
def test_fractions_with_a_name_are_called_by_it(fraction: Fraction, words: str) -> None:
    """Others as they are written."""
    policy = LifetimePolicy(renew_fraction=fraction)
    assert policy.renewal_sentence(Validity(START, START + timedelta(days=365))) == f"{words} of 365 d have passed"
