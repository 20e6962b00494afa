"""Hosts as `pulumi stack export` prints them, made from records; for reports, which never ask a host."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pki.acceptance import AcceptedRow, Why
from pki.model import Validity
from postfix.host_resource.records import HostInputs, HostRow, HostState
from postfix.on_host import CertificateOnHost, SeenCertificate, Sighting
from postfix.proving import HostEvidence
from postfix.target import Local, Target
from postseal_core.packing import pack_records
from postseal_core.records import encode
from postseal_core.values import is_unknown

__all__ = ["host_row", "own_certificate", "stored_host"]

_OWN = CertificateOnHost(public_names=("mx1.example.org",), keeps_parameters=True)


def host_row(
    client: str,
    *,
    since: datetime,
    until: datetime | None = None,
    why: Why = Why.CURRENT,
    roster: str = "",
    generation: int | None = 1,
    fingerprint: str = "AB:CD:EF:01:23:45:67:89:AB:CD",
    service: str = "smtp",
) -> HostRow:
    """Return a row of a client table."""
    accepted = AcceptedRow(
        client=client, why=why, generation=generation, until=until, fingerprint_sha256=fingerprint, not_after=until
    )
    return HostRow(service=service, accepted=accepted, roster=roster, since=since)


def own_certificate(validity: Validity, seen_at: datetime, *faults: str) -> Sighting:
    """Return a look at the certificate that a host has by itself."""
    certificate = SeenCertificate(
        kind="ECDSA",
        subject="CN=mx1.example.org",
        issuer="CN=R13,O=Let's Encrypt,C=US",
        dns_names=("mx1.example.org",),
        validity=validity,
        fingerprint_sha256="AB:CD",
    )
    return Sighting(declared=_OWN, certificates=(certificate,), seen_at=seen_at, faults=faults)


def stored_host(
    name: str = "mx1",
    *,
    rows: Sequence[HostRow] = (),
    target: Target | None = None,
    proven_at: datetime | HostEvidence | None = None,
    sighting: Sighting | None = None,
    main_cf: Mapping[str, str] | None = None,
    outputs: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> dict[str, Any]:
    """Return the resource of a host; `proven_at`: when it was, or with what evidence. `outputs`: instead of these."""
    place = target or Local().record
    evidence = HostEvidence(proven_at=proven_at, trial="tried") if isinstance(proven_at, datetime) else proven_at
    decided = HostInputs(name=name, target=place, main_cf=main_cf or {}, on_host=_OWN if sighting else None, **inputs)
    state = HostState(name=name, target=place, rows=pack_records(rows), evidence=evidence, on_host=sighting)
    exists = {key: value for key, value in encode(state).items() if not is_unknown(value)}
    return {
        "urn": f"urn:pulumi:prod::mail-pki::postseal:index:PostfixHost::{name}",
        "type": "postseal:index:PostfixHost",
        "inputs": json.loads(json.dumps(encode(decided))),
        "outputs": {**json.loads(json.dumps(exists)), **(outputs or {})},
    }
