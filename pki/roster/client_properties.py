"""Turn an entry and what its roster sets for all into the properties of a single client certificate."""

from collections.abc import Mapping
from typing import Any

from pki.model import KeyAlgorithm, Profile
from pki.roster.fields import NO_ARCHIVE
from postseal_core.errors import Problem

__all__ = ["archive_profile", "client_names", "client_properties", "problem_of_entry"]

_NOT_OF_CERTIFICATES = ("email", "pkcs12")


def client_names(email: str, dns_names: list[str], common_name: str) -> dict[str, Any]:
    """Return the names of a client's certificate: by default its common name is its e-mail or first host."""
    names: dict[str, Any] = {"common_name": common_name or email or (dns_names[0] if dns_names else "")}
    if email:
        names["email_addresses"] = [email]
    if dns_names:
        names["dns_names"] = dns_names
    return names


def client_properties(entry: Mapping[str, Any], roster_wide: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties a single `Certificate` of this client would have, its issuer left out.

    A client's own value takes the place of the roster's; saying when to renew in one way replaces the other way.
    """
    properties = {"key_algorithm": KeyAlgorithm.ECDSA_P256.value, **roster_wide, **entry}
    if "renew_fraction" in entry and "renew_before_hours" not in entry:
        properties.pop("renew_before_hours", None)
    names = client_names(entry.get("email", ""), entry.get("dns_names", []), entry.get("common_name", ""))
    for name in _NOT_OF_CERTIFICATES:
        properties.pop(name, None)
    return properties | names | {"profile": Profile.CLIENT.value}


def archive_profile(entry: Mapping[str, Any], roster_wide: Mapping[str, Any]) -> str:
    """Return the profile of a client's PKCS#12 archive; empty if it has none."""
    profile = str(entry.get("pkcs12", roster_wide.get("pkcs12", NO_ARCHIVE)))
    return "" if profile == NO_ARCHIVE else profile


def problem_of_entry(name: str, problem: Problem) -> Problem:
    """Return a problem of a certificate's property as one of the entry's field that it comes from."""
    path = "email" if problem.path.startswith("email_addresses") else problem.path
    return Problem(path, problem.message).below(f"clients.{name}")
