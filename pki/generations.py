"""What is known of the earlier generations of a certificate, as outputs: its schedule joined with their identities."""

from collections.abc import Mapping, Sequence
from typing import Any

from pki.schedule import AcceptedGeneration, RevokedGeneration, Schedule
from postseal_core.instants import format_instant

__all__ = ["IDENTITY", "describe_generations"]

IDENTITY = ("fingerprint_sha256", "public_key_fingerprint_sha256", "serial_number")
"""Outputs that identify one issued generation."""


def describe_generations(schedule: Schedule, old_outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs `previous` and `revoked`, each generation with its fingerprints and serial number.

    `old_outputs`: what this function and issuing made last time; empty for a new certificate. If the current
    generation is revoked, `revoked_at` and `revocation_reason` say so too.
    """
    known = {entry["generation"]: entry for entry in _all_generations(old_outputs)}
    revoked = [_revoked(entry) | _identity(known[entry.generation]) for entry in schedule.revoked]
    described: dict[str, Any] = {
        "previous": [_accepted(entry) | _identity(known[entry.generation]) for entry in schedule.accepted],
        "revoked": revoked,
    }
    for entry in revoked:
        if entry["generation"] == schedule.generation:
            described |= {"revoked_at": entry["revoked_at"], "revocation_reason": entry["reason"]}
    return described


def _all_generations(outputs: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return everything that is known of a generation: the current one and those that came before it."""
    return [*outputs["revoked"], *outputs["previous"], outputs] if outputs else []


def _accepted(entry: AcceptedGeneration) -> dict[str, Any]:
    return {
        "generation": entry.generation,
        "not_after": format_instant(entry.not_after),
        "retire_at": format_instant(entry.retire_at),
        "issuer_id": entry.issuer_id,
    }


def _revoked(entry: RevokedGeneration) -> dict[str, Any]:
    return {
        "generation": entry.generation,
        "not_after": format_instant(entry.not_after),
        "revoked_at": format_instant(entry.revoked_at),
        "reason": entry.reason,
    }


def _identity(generation: Mapping[str, Any]) -> dict[str, Any]:
    return {name: generation[name] for name in IDENTITY}
