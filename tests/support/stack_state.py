"""Build what `pulumi stack export` prints, without any of the product's code."""

import base64
import json
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
SECRET = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    "ciphertext": "v1:bm90IGEgcmVhbCBzZWNyZXQ=",
}


def at(days: float) -> str:
    """Return the instant that many days after NOW as RFC 3339 text."""
    return (NOW + timedelta(seconds=round(days * 86400))).strftime("%Y-%m-%dT%H:%M:%SZ")


def fingerprint(word: str) -> str:
    """Return 32 octets in colon-separated upper-case hexadecimal that depend on the word only."""
    octets = (word.encode() * 32)[:32]
    return ":".join(f"{octet:02X}" for octet in octets)


def certificate_outputs(name: str, **changes: Any) -> dict[str, Any]:
    """Return the outputs of a client's certificate that was issued 100 days ago for 365 days."""
    outputs = {
        "name": name,
        "profile": "client",
        "subject": f"CN={name}",
        "issuer": "mail-ca generation 1",
        "issuer_id": "mail-ca",
        "serial_number": f"{sum(name.encode()):040x}",
        "generation": 1,
        "key_generation": 1,
        "not_before": at(-100),
        "not_after": at(265),
        "renew_at": at(-100 + 365 * 2 / 3),
        "reason": "first certificate",
        "fingerprint_sha256": fingerprint(name),
        "public_key_fingerprint_sha256": fingerprint(f"{name} key"),
        "match": "certificate",
        "previous": [],
        # The provider writes what is unset as an empty text.
        "revoked_at": "",
        "revoked": [],
    }
    return outputs | changes


def previous_generation(name: str, generation: int, retire_in_days: float) -> dict[str, Any]:
    """Return a row of `previous`: a generation that retires that many days after NOW and expires 60 days later."""
    return {
        "generation": generation,
        "fingerprint_sha256": fingerprint(f"{name}#{generation}"),
        "public_key_fingerprint_sha256": fingerprint(f"{name}#{generation} key"),
        "serial_number": f"{generation:040x}",
        "not_after": at(retire_in_days + 60),
        "retire_at": at(retire_in_days),
        "issuer_id": "mail-ca",
    }


def resource(type_name: str, name: str, outputs: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return one resource of the state; `type_name` is the last part of the type token."""
    token = f"postseal:index:{type_name}"
    urn = f"urn:pulumi:prod::mail-pki::{token}::{name}"
    return {"urn": urn, "custom": True, "type": token, "inputs": {}, "outputs": dict(outputs), **more}


def certificate(name: str, **changes: Any) -> dict[str, Any]:
    """Return the resource of a certificate, its private key an encrypted secret."""
    return resource("Certificate", name, certificate_outputs(name, **changes) | {"private_key_pem": SECRET})


def revocation_list(name: str, **changes: Any) -> dict[str, Any]:
    """Return the resource of a revocation list that was signed 3 days ago for 30 days."""
    outputs = {
        "name": name,
        "authority": "mail-ca",
        "crl_number": 12,
        "this_update": at(-3),
        "next_update": at(27),
        "renew_at": at(17),
        "revoked": [{"serial_number": "0a", "revoked_at": at(-3), "reason": "keyCompromise", "name": "dave"}],
    }
    return resource("RevocationList", name, outputs | changes)


def imported(name: str, **changes: Any) -> dict[str, Any]:
    """Return the resource of an imported certificate that runs out in 40 days."""
    outputs = {
        "name": name,
        "subject": f"CN={name}.example.org",
        "issuer": "CN=Other CA",
        "not_before": at(-50),
        "not_after": at(40),
        "renew_at": at(10),
        "fingerprint_sha256": fingerprint(name),
        "public_key_fingerprint_sha256": fingerprint(f"{name} key"),
        "status": "ok",
    }
    return resource("ImportedCertificate", name, outputs | changes)


def waiting(name: str) -> dict[str, Any]:
    """Return the resource of an imported certificate that has not arrived."""
    outputs = {"name": name, "subject": f"CN={name}.example.org", "status": "waiting for the signed certificate"}
    return resource("ImportedCertificate", name, outputs, initErrors=["waiting for the signed certificate"])


def ledger(clients: list[dict[str, Any]]) -> str:
    """Return a roster's ledger: base64 of zlib of JSON lines."""
    return base64.b64encode(zlib.compress("\n".join(map(json.dumps, clients)).encode(), 6)).decode()


def roster(
    name: str, clients: list[dict[str, Any]], entries: list[dict[str, Any]] | None = None, **inputs: Any
) -> dict[str, Any]:
    """Return the resource of a roster; `inputs` are declared for all its clients, `entries` for single ones."""
    if entries:
        inputs["clients"] = ledger(entries)
    outputs = {"name": name, "count": len(clients), "ledger": ledger(clients), "material": SECRET}
    return resource("ClientRoster", name, outputs, inputs=inputs)


def export(*resources: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a stack that holds these resources and the usual others."""
    stack = {"urn": "urn:pulumi:prod::mail-pki::pulumi:pulumi:Stack::mail-pki-prod", "type": "pulumi:pulumi:Stack"}
    return {"version": 3, "deployment": {"manifest": {}, "resources": [stack, *resources]}}


def mail_stack() -> dict[str, Any]:
    """Return a stack with at least one entry in every state and of every kind."""
    return export(
        certificate(
            "mail-root",
            profile="root",
            issuer="itself",
            not_before=at(-900),
            not_after=at(2750),
            renew_at=at(1533),
            validity_hours=87600,
        ),
        certificate(
            "mail-ca",
            profile="intermediate",
            issuer="mail-root generation 1",
            not_before=at(-880),
            not_after=at(945),
            renew_at=at(337),
            validity_hours=43800,
        ),
        certificate("mx1", profile="server", dns_names=["mx1.example.org"]),
        certificate(
            "relay2",
            profile="server_and_client",
            renew_at=at(14),
            renew_before_hours=251 * 24,
            dns_names=["relay2.example.org"],
        ),
        certificate(
            "alice",
            generation=2,
            key_generation=2,
            not_before=at(-4),
            not_after=at(361),
            renew_at=at(239),
            previous=[previous_generation("alice", 1, 10)],
            email_addresses=["alice@example.org"],
        ),
        certificate("bob", not_before=at(-300), not_after=at(65), renew_at=at(-57)),
        certificate("carol, \\ \"quoted\"; = 'ü'", not_before=at(-380), not_after=at(-15), renew_at=at(-137)),
        certificate("dave", revoked_at=at(-3), revocation_reason="keyCompromise"),
        imported("www"),
        waiting("partner"),
        revocation_list("mail-ca-crl"),
        roster(
            "branches",
            [
                certificate_outputs("branch-1"),
                certificate_outputs(
                    "branch-2", generation=2, previous=[previous_generation("branch-2", 1, -1)], match="public_key"
                ),
            ],
        ),
    )


def large_stack(clients: int) -> dict[str, Any]:
    """Return a stack with a server and a roster of that many clients: two expired, one in ten overdue, others fine."""
    return export(
        certificate("mx1", profile="server"), roster("branches", [_member(index) for index in range(clients)])
    )


def _member(index: int) -> dict[str, Any]:
    age = 400 if index in (1, 2) else 250 if index % 10 == 0 else index % 200
    name = f"client-{index:05d}"
    dates = {"not_before": at(-age), "not_after": at(365 - age), "renew_at": at(243 - age)}
    return certificate_outputs(name, subject=f"CN={name}.branch.example.org", **dates)
