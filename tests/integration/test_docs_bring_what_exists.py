"""docs/bring-what-exists.md, word for word: an authority, a partner's certificate, on the shipped program."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.engine import REPOSITORY, Stack, copy_project
from tests.support.stacks import certificates

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

PAGE = (REPOSITORY / "docs/bring-what-exists.md").read_text(encoding="utf-8")
PKI = """
mkdir -p pki/private stacks
echo once > passphrase.txt
openssl req -x509 -newkey rsa:2048 -passout pass:once -keyout pki/private/ca.key -out pki/ca.crt -days 3650 \\
    -subj "/CN=Example Mail CA" -addext keyUsage=critical,keyCertSign,cRLSign
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout partner.key -subj /CN=us -out us.csr
printf "extendedKeyUsage=clientAuth\\n" > us.ext
openssl x509 -req -in us.csr -CA pki/ca.crt -CAkey pki/private/ca.key -passin pass:once -days 90 -extfile us.ext \\
    -out stacks/partner.pem
"""
MADE = re.compile(r"^\$ (?P<command>(?:pulumi|openssl) .*)$", re.MULTILINE)
YAML = re.compile(r"^```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def part(heading: str) -> str:
    """Return the text of one section of the page."""
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def typed(stack: Stack, text: str) -> None:
    """Type the commands of a section into a shell of this stack."""
    for match in MADE.finditer(text):
        command = match["command"]
        process = subprocess.run(
            ["sh", "-ec", command],
            cwd=stack.project,
            env=stack.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"


def declare(stack: Stack, sections: str) -> None:
    """Write a section of the page into the stack file, beside what `pulumi config set` has written there."""
    file = stack.project / f"stacks/Pulumi.{stack.name}.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    for key, value in yaml.safe_load(sections).items():
        merged = content["config"].get(key, {}) | value if isinstance(value, dict) else value
        if key == "mail-pki:authority":  # the certificate stands there already, from the command before
            value["adopt"]["certificate_pem"] = content["config"][key]["adopt"]["certificate_pem"]
            merged = value
        content["config"][key] = merged
    file.write_text(yaml.safe_dump(content), encoding="utf-8")


def test_an_authority_and_a_partners_certificate_are_brought_in(engine_home: Path, tmp_path: Path) -> None:
    """Each step leaves a stack file that previews, also between a secret and the line that refers to it."""
    project = copy_project(REPOSITORY, tmp_path / "project")
    subprocess.run(["sh", "-ec", PKI], cwd=project, check=True, capture_output=True, timeout=60)
    (name,) = re.findall(r"^\$ pulumi stack init (\S+)$", PAGE, re.MULTILINE)
    assert not (project / f"stacks/Pulumi.{name}.yaml").exists()
    stack = Stack(project, tmp_path / "scratch", engine_home, name=name).init()
    authority = part("An authority that exists")
    secret, *rest = authority.split("$ pulumi config set --path", 1)
    typed(stack, secret)
    stack.preview().expect_success()
    typed(stack, f"$ pulumi config set --path{rest[0]}")
    declare(stack, YAML.findall(authority)[0])
    assert "adopted as it is" in str(stack.preview(diff=True).expect_success())
    partner = part("A certificate that a partner asks for")
    typed(stack, partner)
    stack.preview().expect_success()
    declare(stack, YAML.findall(partner)[0].replace("mx1:\n", "mx1:\n    myhostname: mx1.example.org\n"))
    stack.up().expect_success()
    issued = certificates(stack.export())
    adopted = (project / "pki/ca.crt").read_text(encoding="ascii").strip()
    assert issued["authority"]["certificate_pem"].strip() == adopted
    main_cf = (project / f"out/{name}/mx1/postfix/main.cf").read_text(encoding="utf-8")
    assert "smtp_tls_chain_files = $config_directory/tls/partner.pem" in main_cf
    served = (project / f"out/{name}/mx1/postfix/tls/partner.pem").read_text(encoding="ascii")
    assert (project / "stacks/partner.pem").read_text(encoding="ascii").strip() in served
