"""Which properties of a certificate are stored as declared, and which of them cannot be used as they come in."""

from pki.declared import CONTENT_PROPERTIES, problems_of_words
from pki.model import Profile
from postseal_core.errors import Problem
from postseal_core.values import Properties, contains_unknown

__all__ = ["PASSED_THROUGH", "problems_of_inputs"]

PASSED_THROUGH = (
    *CONTENT_PROPERTIES,
    "name",
    "key_algorithm",
    "match",
    "validity_hours",
    "renew_fraction",
    "renew_before_hours",
    "overlap_hours",
    "renew_key_every",
    "confirm",
    "confirmed_generation",
    "revoke",
    "issue_again",
    "fail_beyond_issuer",
    "issuer_id",
)
"""Properties that are stored as they were declared."""


def problems_of_inputs(properties: Properties) -> list[Problem]:
    """Return what cannot even be decoded: unknown values, unknown words where one of a few is expected."""
    unknown = [name for name in PASSED_THROUGH if contains_unknown(properties.get(name))]
    known = {name: value for name, value in properties.items() if not contains_unknown(value)}
    return [
        *(Problem(name, "must be known before `pulumi up`, not the output of another resource") for name in unknown),
        *problems_of_words(known),
        *_adoption_problems(properties),
        *_handover_problems(properties),
    ]


def _adoption_problems(properties: Properties) -> list[Problem]:
    if "adopt_certificate_pem" not in properties or "private_key_pem" in properties:
        return []
    return [Problem("adopt_certificate_pem", "cannot be adopted without its key: hand in private_key_pem as well")]


def _handover_problems(properties: Properties) -> list[Problem]:
    if "handover" not in properties:
        return []
    problems = []
    if properties.get("profile") != Profile.CLIENT:
        problems.append(Problem("handover", "only a client's certificate can be taken over from another resource"))
    if "private_key_pem" in properties:
        problems.append(Problem("handover", "brings its own key along: leave out private_key_pem"))
    return problems
