"""An authority that openssl made is taken over, and a resource gets another name: no certificate changes for it."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import Stack, write_project
from tests.support.stacks import certificates, faults_of_certificates, tree

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

PROGRAM = """
import json
from pathlib import Path
import pulumi
import pki

given = json.loads(Path("given.json").read_text())
adopt = pki.AdoptedAuthority(Path("ca.pem").read_text(), Path("ca.key").read_text())
authority = pki.CertificateAuthority(
    "old-ca", common_name="OpenSSL CA", adopt=adopt, opts=pulumi.ResourceOptions(protect=False)
)
aliases = [pulumi.Alias(name=given["was"])] if given["was"] else []
client = pki.ClientCertificate(
    given["name"], authority=authority, email="a@example.org", opts=pulumi.ResourceOptions(aliases=aliases)
)
pki.HandOut("hand-out", directory="out", authorities=[authority], clients=[client])
"""


@dataclass(frozen=True, slots=True)
class Renamed:
    """A program that adopted an authority and then renamed a client: the state before and after."""

    project: Path
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@pytest.fixture(scope="module")
def renamed(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Renamed:
    """Adopt an authority that openssl made, issue from it, and give the client another name."""
    directory = tmp_path_factory.mktemp("renamed")
    project = write_project(directory / "project", PROGRAM)
    usage = ("-addext", "keyUsage=critical,keyCertSign,cRLSign")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key")
    make = ["openssl", "req", "-x509", *key, "-out", "ca.pem", "-days", "3650", "-subj", "/CN=OpenSSL CA", *usage]
    subprocess.run(make, cwd=project, check=True, capture_output=True, timeout=60)
    stack = Stack(project, directory / "backend", engine_home).init()
    states = []
    for names in ({"name": "alice", "was": ""}, {"name": "alison", "was": "alice"}):
        (project / "given.json").write_text(json.dumps(names))
        stack.up().expect_success()
        states.append(stack.export())
    return Renamed(project, states[0], states[1])


def test_an_authority_made_by_openssl_signs_on(renamed: Renamed) -> None:
    """The adopted certificate stays as it is, and what it signs from now on verifies below it."""
    issued = certificates(renamed.before)
    assert issued["old-ca"]["certificate_pem"].strip() == (renamed.project / "ca.pem").read_text().strip()
    assert list(faults_of_certificates(renamed.before, {"old-ca": "root", "alice": "client"})) == []


def test_a_renamed_client_keeps_its_certificate(renamed: Renamed) -> None:
    """With an alias the resource moves to its new name; nothing is issued, and the files follow the name."""
    before, after = certificates(renamed.before)["alice"], certificates(renamed.after)["alison"]
    identity = ("fingerprint_sha256", "generation", "not_after", "certificate_pem")
    assert {name: after[name] for name in identity} == {name: before[name] for name in identity}
    assert "alice" not in certificates(renamed.after)
    assert {path.split("/")[1] for path in tree(renamed.project / "out") if path.startswith("clients/")} == {"alison"}
