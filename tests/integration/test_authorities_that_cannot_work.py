"""An authority below which every certificate is refused is not adopted; OpenSSL and Go say the same of it."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from pki.adoptable import faults_of_authority, faults_of_dates, faults_of_trial
from pki.keys import load_private_key
from tests.support.foreign_authorities import Foreign, made_by, openssl
from tests.support.judges import Purpose, openssl_verify_strict
from tests.support.path_judges import VERIFIERS, Chain

pytestmark = [pytest.mark.needs_openssl, pytest.mark.needs_go]

Maker = Callable[[Path], None]


def _run(directory: Path, command: str) -> None:
    subprocess.run(command.split(), cwd=directory, check=True, capture_output=True, timeout=60)


def _version_1(directory: Path) -> None:
    """Make an authority as `openssl x509 -req -signkey` does without extensions."""
    openssl(identifier="none")(directory)  # there is none to name
    _run(directory, "openssl req -new -key ca.key -out ca.csr -subj /CN=Old")
    _run(directory, "openssl x509 -req -in ca.csr -signkey ca.key -days 90 -out ca.pem")
    _sign_anew(directory)


def _explicit_curve(directory: Path) -> None:
    openssl()(directory)
    _run(directory, "openssl ecparam -name prime256v1 -genkey -param_enc explicit -noout -out ca.key")
    new = "openssl req -x509 -new -key ca.key -days 90 -out ca.pem -config openssl.cnf -subj /CN=Old"
    _run(directory, new)
    _sign_anew(directory)


def _sign_anew(directory: Path) -> None:
    _run(
        directory,
        "openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 60 -out leaf.pem"
        " -extfile openssl.cnf -extensions leaf",
    )


DEFECTS: dict[str, tuple[Maker, str]] = {
    "no authority": (openssl(extensions={"basicConstraints": "CA:FALSE"}), "no authority's certificate (CA:FALSE)"),
    "no keyCertSign": (openssl(extensions={"keyUsage": "critical, digitalSignature"}), "lacks keyCertSign"),
    "purpose": (openssl(extensions={"extendedKeyUsage": "emailProtection"}), "lacks serverAuth and clientAuth"),
    "critical": (openssl(extensions={"1.2.3.4": "critical, ASN1:NULL"}), "the critical extension 1.2.3.4"),
    "version 1": (_version_1, "a certificate of version 1"),
    "explicit curve": (_explicit_curve, "explicit EC parameters"),
}

SOUND: dict[str, Maker] = {
    "usual": openssl(),
    "one usage more": openssl(extensions={"keyUsage": "keyCertSign, cRLSign, digitalSignature"}),
    "path length 0": openssl(extensions={"basicConstraints": "critical, CA:TRUE, pathlen:0"}),
    "both purposes": openssl(extensions={"extendedKeyUsage": "serverAuth, clientAuth"}),
    "unknown extension": openssl(extensions={"1.2.3.4": "ASN1:NULL"}),
    "constrained": openssl(extensions={"nameConstraints": "critical, permitted;DNS:example.org"}),
}


def _read(foreign: Foreign) -> tuple[x509.Certificate, x509.Certificate]:
    certificates = (foreign.certificate_pem, foreign.leaf_pem)
    authority, leaf = (x509.load_pem_x509_certificate(each.encode()) for each in certificates)
    return authority, leaf


def _is_accepted(leaf: x509.Certificate, authority: x509.Certificate) -> set[bool]:
    """Return what OpenSSL says of a leaf as server and as client."""
    now = datetime.now(UTC)
    return {openssl_verify_strict(leaf, roots=[authority], purpose=purpose, at=now).is_accepted for purpose in Purpose}


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_verifiers_refuse_is_refused_with_its_cause(defect: str, tmp_path: Path) -> None:
    """Nothing that the authority has signed is accepted by OpenSSL, and the sentence says why."""
    maker, cause = DEFECTS[defect]
    authority, leaf = _read(made_by(maker, tmp_path))
    assert _is_accepted(leaf, authority) == {False}
    faults = list(faults_of_authority(authority))
    assert len(faults) == 1
    assert cause in faults[0]


@pytest.mark.parametrize("kind", SOUND)
def test_what_verifiers_accept_is_adopted(kind: str, tmp_path: Path) -> None:
    """The control: OpenSSL and Go accept what it signed, and the certificate that is issued on trial."""
    foreign = made_by(SOUND[kind], tmp_path)
    authority, leaf = _read(foreign)
    assert _is_accepted(leaf, authority) == {True}
    assert VERIFIERS["go"](Chain(leaf, [], authority)).is_accepted
    now, key = datetime.now(UTC), load_private_key(foreign.private_key_pem, what="key")
    assert [*faults_of_authority(authority, signs_lists=True), *faults_of_dates(authority, now)] == []
    assert list(faults_of_trial(authority, key, [], now)) == []


def test_an_authority_that_may_sign_no_list_is_refused_beside_a_list(tmp_path: Path) -> None:
    """Without cRLSign every verifier refuses the list, and with it, where it asks for one, every certificate."""
    maker = openssl(extensions={"keyUsage": "critical, keyCertSign"})
    authority, _ = _read(made_by(maker, tmp_path))
    assert list(faults_of_authority(authority)) == []
    (fault,) = faults_of_authority(authority, signs_lists=True)
    assert "lacks cRLSign" in fault


def test_an_authority_is_adopted_between_its_dates_only(tmp_path: Path) -> None:
    """Both ends are inclusive (RFC 5280 section 4.1.2.5)."""
    authority, _ = _read(made_by(openssl(), tmp_path))
    start, end, second = authority.not_valid_before_utc, authority.not_valid_after_utc, timedelta(seconds=1)
    assert [list(faults_of_dates(authority, at)) for at in (start, end)] == [[], []]
    assert ["expired on" in fault for fault in faults_of_dates(authority, end + second)] == [True]
    assert ["is not valid before" in fault for fault in faults_of_dates(authority, start - second)] == [True]
