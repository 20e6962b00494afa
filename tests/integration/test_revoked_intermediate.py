"""The key of an intermediate is lost: another slot signs, and OpenSSL finds the old one in the list of its root."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.engine import REPOSITORY, Stack, copy_project
from tests.support.stacks import certificates

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]


def sections(slots: dict[str, Any]) -> dict[str, Any]:
    """Return a stack file with two devices of one person below an intermediate with these slots."""
    client = {"authority": "office", "email": "alice@example.org", "person": "alice", "pkcs12": "modern"}
    server = {"authority": "office", "dns_names": ["mx1.example.org"]}
    host = {"myhostname": "mx1.example.org", "relay_clients": ["alice-laptop", "alice-phone"]}
    return {
        "mail-pki:authorities": {
            "ca": {"common_name": "CA", "path_length": 1, "crl": True, "protect": False},
            "office": {"common_name": "Office CA", "issuer": "ca", "slots": slots, "protect": False},
        },
        "mail-pki:servers": {"mx1": server},
        "mail-pki:clients": {"alice-laptop": client, "alice-phone": client},
        "mail-pki:hosts": {"mx1": host},
    }


def verdict(certificate_pem: str, out: Path) -> str:
    """Return what OpenSSL says of an intermediate below the root of the hand-out, with its list."""
    trusted, judged = out.parent / "trusted.pem", out.parent / "judged.pem"
    trusted.write_text((out / "ca/ca.pem").read_text() + (out / "crl/ca.crl.pem").read_text(), encoding="ascii")
    judged.write_text(certificate_pem, encoding="ascii")
    command = ["openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", str(trusted), str(judged)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return "OK" if process.returncode == 0 else process.stderr


def test_a_revoked_intermediate_is_refused_and_its_successor_is_not(engine_home: Path, tmp_path: Path) -> None:
    """Both devices of one person keep a row each; the preview tells what follows for whom the old slot has signed."""
    project = copy_project(REPOSITORY, tmp_path / "project")
    file, out = project / "stacks/Pulumi.test.yaml", project / "out/test"
    file.write_text(yaml.safe_dump({"config": sections({"active": 1})}), encoding="utf-8")
    stack = Stack(project, tmp_path / "scratch", engine_home).init()
    stack.up().expect_success()
    before = certificates(stack.export())
    rows = (out / "mx1/postfix/relay_clientcerts").read_text(encoding="ascii")
    devices = ("alice-laptop", "alice-phone")
    assert len({before[name]["public_key_fingerprint_sha256"] for name in devices}) == len(devices)
    assert all(before[name]["fingerprint_sha256"] in rows for name in devices)
    assert all((out / f"clients/{name}/{name}.p12").exists() for name in devices)
    old = before["office"]["certificate_pem"]
    assert verdict(old, out) == "OK"
    revoked = {"active": 2, "retiring": 1, "revoke_retiring": "keyCompromise"}
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["config"] |= sections(revoked)
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert "whoever checks lists refuses what it has signed" in str(stack.preview().expect_success())
    stack.up().expect_success()
    after = certificates(stack.export())
    assert "certificate revoked" in verdict(old, out)
    assert verdict(after["office-2"]["certificate_pem"], out) == "OK"
    assert after["alice-phone"]["generation"] == 2
    stack.preview(expect_no_changes=True).expect_success()
