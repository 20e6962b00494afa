"""docs/bring-what-exists.md, word by word: an authority that openssl made is adopted by the commands of the page."""

import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.engine import REPOSITORY, Result, Stack, copy_project, run_limited
from tests.support.stacks import certificates

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

PAGE = (REPOSITORY / "docs/bring-what-exists.md").read_text()
FENCE = re.compile(r"^```console\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SUBJECT = "/C=DE/O=Example/CN=Example Mail CA/emailAddress=ca@example.org"


def commands() -> list[str]:
    """Return the commands of the section on authorities, without the prompt."""
    section = PAGE.partition("## An authority that exists")[2].partition("\n## ")[0]
    return [line[2:] for fence in FENCE.finditer(section) for line in fence["text"].splitlines() if line[:2] == "$ "]


@pytest.fixture(scope="module")
def adopted(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, dict[str, Result]]:
    """Run every command of the page beside an authority whose key is encrypted; return the stack and what each said."""
    directory = tmp_path_factory.mktemp("office")
    project = copy_project(REPOSITORY, directory / "project")
    (project / "pki/private").mkdir(parents=True)
    (project / "passphrase.txt").write_text("correct horse battery")
    make = "openssl req -x509 -newkey rsa:2048 -days 3650 -passout file:passphrase.txt -sha256"
    files = ["-keyout", "pki/private/ca.key", "-out", "pki/ca.crt", "-subj", SUBJECT]
    usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    subprocess.run([*make.split(), *files, *usage], cwd=project, check=True, capture_output=True, timeout=60)
    (name,) = set(re.findall(r"pulumi stack init (\w+)", PAGE))
    stack = Stack(project, directory / "backend", engine_home, name=name).init()
    said = {each: run_limited(["bash", "-c", each], project, stack.environment(), 180) for each in commands()}
    return stack, said


def test_the_page_is_a_run(adopted: tuple[Stack, dict[str, Result]]) -> None:
    """Every command works as it stands there, and the preview shows the lines that the page shows."""
    stack, said = adopted
    assert [command for command, result in said.items() if not result.is_success] == []
    assert "BEGIN ENCRYPTED" not in (stack.project / f"stacks/Pulumi.{stack.name}.yaml").read_text()
    (shown,) = [str(result) for command, result in said.items() if "preview" in command]
    shown_lines = {" ".join(line.split()) for line in shown.splitlines()}
    promised = [
        " ".join(line.split())
        for line in PAGE.splitlines()
        if re.match(r"    (generation|key_algorithm|reason|subject)", line)
    ]
    assert len(promised) == 4
    assert [line for line in promised if line not in shown_lines] == []


def test_after_it_the_authority_signs(adopted: tuple[Stack, dict[str, Result]]) -> None:
    """Its certificate is the one that there was, and the client's names it byte by byte."""
    stack, _ = adopted
    stack.up().expect_success()
    issued = certificates(stack.export())
    old = x509.load_pem_x509_certificate((stack.project / "pki/ca.crt").read_bytes())
    client = x509.load_pem_x509_certificate(issued["bob"]["certificate_pem"].encode())
    assert x509.load_pem_x509_certificate(issued["authority"]["certificate_pem"].encode()) == old
    assert client.issuer.public_bytes() == old.subject.public_bytes()
    client.verify_directly_issued_by(old)
    assert "correct horse" not in str(stack.export())


def test_a_wrong_passphrase_stops_before_anything_is_registered(adopted: tuple[Stack, dict[str, Result]]) -> None:
    """In one sentence without a traceback; with the right one again it goes on."""
    stack, _ = adopted
    stack.set_config("ca-passphrase", "another horse", is_secret=True)
    refused = stack.preview()
    assert not refused.is_success
    assert "authority.adopt.private_key_passphrase_secret: ca-key: the passphrase does not open the key" in str(refused)
    assert "Traceback" not in str(refused)
    stack.set_config("ca-passphrase", "correct horse battery", is_secret=True)
    stack.preview().expect_success()
