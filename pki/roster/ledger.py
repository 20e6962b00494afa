"""What is public about the clients of a roster: one record each, with the keys of a single certificate's outputs."""

from collections.abc import Iterable, Mapping
from typing import Any

from pki.generations import describe_generations
from pki.roster.client_properties import archive_profile
from pki.roster.decisions import Declaration, Record, schedule_of

__all__ = ["accepted_rows", "describe_client", "is_same_certificate"]

_SCHEDULED = ("generation", "key_generation", "not_before", "not_after", "renew_at", "reason")


def describe_client(
    entry: Mapping[str, Any], record: Record, declaration: Declaration, old: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what follows from declaration and schedule alone, for one client; known in every preview.

    `old`: the client's record in the ledger until now; empty for a new client.
    """
    described = {"name": entry["name"], "profile": "client", "issuer": declaration.shared["issuer"]}
    described["match"] = entry.get("match", declaration.shared.get("match", "certificate"))
    described |= {name: record[name] for name in _SCHEDULED}
    described["email_addresses"] = [entry["email"]] if "email" in entry else []
    described["dns_names"] = entry.get("dns_names", [])
    if pkcs12 := archive_profile(entry, declaration.shared):
        described["pkcs12"] = pkcs12
    if "accepted" in record or "revoked" in record:
        return described | describe_generations(schedule_of(record), old)
    return described | {"previous": [], "revoked": []}


def is_same_certificate(record: Record, old: Mapping[str, Any]) -> bool:
    """Return whether the certificate in the ledger is the one that was decided."""
    return bool(old) and all(record[name] == old[name] for name in ("generation", "not_before", "not_after"))


def accepted_rows(clients: Iterable[Mapping[str, Any]]) -> str:
    """Return one line for each fingerprint that is accepted, as `AA:BB:... alice generation=2 not_after=2027-02-01`.

    `clients`: records of the ledger in the order of their names. Sorted by name, then generation; generations of a
    client that share a key have one line if they are matched by public key.
    """
    lines: dict[str, str] = {}
    for client in clients:
        matched = "public_key_fingerprint_sha256" if client["match"] == "public_key" else "fingerprint_sha256"
        current = [] if "revoked_at" in client else [client]
        for generation in (*client["previous"], *current):
            fingerprint, date = generation[matched], generation["not_after"][:10]
            lines[fingerprint] = f"{client['name']} generation={generation['generation']} not_after={date}"
    return "".join(f"{fingerprint} {line}\n" for fingerprint, line in lines.items())
