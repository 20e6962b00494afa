"""NIST's path validation suite (PKITS): its tests, and the certificates that the package cryptography-vectors has."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path

__all__ = ["SUITE_DATE", "TRUST_ANCHOR", "Result", "SuiteTest", "suite_pem", "suite_tests"]

SUITE_DATE = datetime(2012, 1, 1, tzinfo=UTC)
"""An instant at which the suite's good certificates are valid."""

TRUST_ANCHOR = "TrustAnchorRootCertificate"


class Result(StrEnum):
    """What the suite says of a path; pkits.tsv tells the meaning of each."""

    VALID = "valid"
    INVALID = "invalid"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True)
class SuiteTest:
    """One test of the suite; `path` names the certificates below the trust anchor, the end entity last."""

    number: str
    result: Result
    path: tuple[str, ...]


@cache
def suite_tests() -> Sequence[SuiteTest]:
    """Return all tests of the table."""
    lines = Path(__file__).with_name("pkits.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [SuiteTest(number, Result(result), tuple(path.split())) for number, result, path in rows]


@cache
def suite_pem(name: str) -> str:
    """Return a certificate of the suite as PEM; it is not parsed, since some of them are broken on purpose."""
    return ssl.DER_cert_to_PEM_cert((files("cryptography_vectors") / f"x509/PKITS_data/certs/{name}.crt").read_bytes())
