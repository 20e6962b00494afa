"""State, passphrase or key are lost, or they move: each way back that docs/recovery.md tells, with the real engine."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from tests.support.engine import REPOSITORY, Stack, copy_project
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.smtp_probe import probe
from tests.support.stacks import (
    MailStack,
    custom_resources,
    handed_out,
    load_certificates,
    mail_stack,
    revealed,
    table_rows,
    tree,
)
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

SERVER_NAME = "mx1.example.org"
PEOPLE = ("alice", "bob")
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "path_length": 0, "crl": True},
    "clients": {name: {"email": f"{name}@example.org"} for name in PEOPLE},
    "hosts": {"mx1": {"myhostname": SERVER_NAME, "relay_clients": list(PEOPLE)}},
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there after the disaster, taken from a stack that worked until then.

    `out`: a copy of its hand-outs and hosts. `export`: the file of `pulumi stack export`. `stack_file`: as committed.
    `authority_key_pem`: the authority's key, as docs/recovery.md has it taken out of the state.
    """

    out: Path
    export: Path
    stack_file: Path
    passphrase: str
    keys: Mapping[str, str]
    authority_key_pem: str

    @property
    def people(self) -> dict[str, Credential]:
        """What people have in their hands."""
        return {name: handed_out(self.out, name) for name in PEOPLE}

    @property
    def root_pem(self) -> str:
        """The old root, as everybody has it."""
        return (self.out / "ca/ca.pem").read_text()


def keys_of(stack: Stack) -> dict[str, str]:
    """Return every private key of a stack by the name of its resource."""
    found = {each["urn"]: each["outputs"] for each in custom_resources(stack.export(show_secrets=True))}
    named = {urn: revealed(each.get("privateKeyPem", each.get("private_key_pem"))) for urn, each in found.items()}
    return {urn.rpartition("::")[2]: value for urn, value in named.items() if value}


def commands_of_page(heading: str) -> str:
    """Return the shell commands below a heading of docs/recovery.md."""
    section = (REPOSITORY / "docs/recovery.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = section.split("```sh\n")[1:]
    return "\n".join(block.split("\n```")[0] for block in blocks)


def run_shell(mail: MailStack, script: str, **variables: str) -> str:
    """Run commands of the page in the project's directory, as a user does; return what they print."""
    environment = mail.stack.environment() | variables
    done = subprocess.run(  # commands of our own page
        ["/bin/sh", "-euc", script],
        cwd=mail.project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def kept(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Let a stack work, and back up what the page says."""
    directory = tmp_path_factory.mktemp("worked")
    mail = mail_stack(directory, engine_home)
    mail.declare(SECTIONS)
    mail.stack.up().expect_success()
    printed = run_shell(mail, commands_of_page("What to keep").replace("prod", "test"))
    assert "PRIVATE KEY" not in printed
    key = mail.project / "authority.key"
    assert key.stat().st_mode & 0o777 == 0o600
    return Kept(
        out=Path(shutil.copytree(mail.out, directory / "kept")),
        export=mail.project / "backup.json",
        stack_file=mail.project / "stacks/Pulumi.test.yaml",
        passphrase=(directory / "backend/passphrase").read_text(),
        keys=keys_of(mail.stack),
        authority_key_pem=key.read_text(),
    )


def rebuilt(kept: Kept, directory: Path, home: Path) -> MailStack:
    """Rebuild the stack as the page says: a fresh clone with its stack file, an empty backend, the old passphrase."""
    project = copy_project(REPOSITORY, directory / "project")
    shutil.copy(kept.stack_file, project / "stacks/Pulumi.test.yaml")
    shutil.copy(kept.export, project / "backup.json")
    (directory / "backend/state").mkdir(parents=True)
    (directory / "backend/passphrase").write_text("what `env` has made for the clone")
    (directory / "old").write_text(kept.passphrase)
    mail = MailStack(Stack(project, directory / "backend", home))
    page = commands_of_page("Rebuild from a backup").replace("prod", "test")
    run_shell(mail, page, OLD_PASSPHRASE_FILE=str(directory / "old"))
    return mail


def admitted(instance: PostfixInstance, people: Mapping[str, Credential]) -> set[str]:
    """Return who may relay; nobody else may, at any time."""
    stranger = ThrowAwayAuthority("Example Mail CA").issue_client("alice@example.org")
    everybody = {**people, "": stranger}
    answers = {name: probe(instance.port, client_certificate=each) for name, each in everybody.items()}
    assert not probe(instance.port).may_relay
    return {name for name, answer in answers.items() if answer.may_relay}


def test_the_backup_holds_no_key_in_clear(kept: Kept) -> None:
    """The export needs the passphrase; the authority's key is the one of the state."""
    text = kept.export.read_text()
    assert "PRIVATE KEY" not in text
    assert kept.authority_key_pem == kept.keys["authority-key"]
    assert sorted(kept.keys) == ["alice", "authority-key", "bob", "mx1"]


def test_a_stack_is_rebuilt_from_its_backup_in_another_backend(kept: Kept, engine_home: Path, tmp_path: Path) -> None:
    """The same keys and certificates; only files of this machine are missing. Without the passphrase: nothing."""
    mail = rebuilt(kept, tmp_path, engine_home)
    other = replace(mail.stack, variables={"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "wrong")})
    (tmp_path / "wrong").write_text("wrong")
    assert not other.run("preview").is_success
    assert "incorrect passphrase" in str(other.run("preview"))
    assert keys_of(mail.stack) == kept.keys
    mail.stack.up().expect_success()
    assert tree(mail.out) == tree(kept.out)
    assert mail.stack.preview(expect_no_changes=True).is_success


def test_with_the_files_still_there_nothing_is_to_be_done(kept: Kept, engine_home: Path, tmp_path: Path) -> None:
    """Only the backend was lost, or moves: file to another file."""
    mail = rebuilt(kept, tmp_path, engine_home)
    shutil.copytree(kept.out.parent / "project/out", mail.project / "out")
    script = commands_of_page("Move the state to another backend").replace("prod", "test")
    new = f"{(tmp_path / 'other-state').as_uri()}?metadata=skip"
    (tmp_path / "other-state").mkdir()
    run_shell(mail, script, NEW_BACKEND=new)
    moved = replace(mail.stack, variables={"PULUMI_BACKEND_URL": new})
    assert keys_of(moved) == kept.keys
    assert moved.preview(expect_no_changes=True).is_success
    # What is left in the old place is no second stack that somebody brings up by mistake.
    assert not mail.stack.run("preview").is_success


def test_another_passphrase_opens_the_state_and_the_old_one_does_not(
    kept: Kept, engine_home: Path, tmp_path: Path
) -> None:
    """The page's commands; secrets of the stack file are encrypted anew, too, and no certificate changes."""
    mail = rebuilt(kept, tmp_path, engine_home)
    shutil.copytree(kept.out.parent / "project/out", mail.project / "out")
    mail.stack.set_config("unused", "hush-hush", is_secret=True)
    passphrase = tmp_path / "new-passphrase"
    passphrase.write_text("another passphrase\n")
    script = commands_of_page("Change the passphrase or the secrets provider").replace("prod", "test")
    run_shell(mail, script, NEW_PASSPHRASE_FILE=str(passphrase))
    assert "incorrect passphrase" in str(mail.stack.run("preview"))
    new = replace(mail.stack, variables={"PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)})
    assert keys_of(new) == kept.keys
    assert new.run("config", "get", "unused").stdout.strip() == "hush-hush"
    new.run("config", "rm", "unused").expect_success()
    assert new.preview(expect_no_changes=True).is_success


def from_hosts(kept: Kept) -> list[dict[str, str]]:
    """Return `extra_relay_clients` as the page's command makes them of a host's table."""
    script = commands_of_page("State or passphrase is lost: from hosts and hand-outs")
    (line,) = (each for each in script.splitlines() if "awk" in each)
    done = subprocess.run(  # a command of our own page
        ["/bin/sh", "-euc", line.replace("/etc/postfix", str(kept.out / "mx1/postfix"))],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    rows: list[dict[str, str]] = yaml.safe_load(done.stdout)
    return rows


def with_old_rows(kept: Kept, **more: Any) -> dict[str, Any]:
    """Return a stack file for a stack without state: the old fingerprints stay accepted."""
    host = SECTIONS["hosts"]["mx1"] | {"extra_relay_clients": from_hosts(kept)}
    return SECTIONS | {"hosts": {"mx1": host}} | more


def test_who_came_after_the_backup_is_not_cut_off(kept: Kept, engine_home: Path, tmp_path: Path) -> None:
    """A preview shows her as new; with the row of the host declared she is let in with either certificate."""
    later = rebuilt(kept, tmp_path / "later", engine_home)
    host = SECTIONS["hosts"]["mx1"] | {"relay_clients": [*PEOPLE, "carol"]}
    sections = SECTIONS | {"clients": SECTIONS["clients"] | {"carol": {"email": "carol@example.org"}}}
    later.declare(sections | {"hosts": {"mx1": host}})
    later.stack.up().expect_success()
    carol = handed_out(later.out, "carol").fingerprint_sha256
    mail = rebuilt(kept, tmp_path / "behind", engine_home)
    extra = [{"name": "carol-1", "fingerprint_sha256": carol}]
    mail.declare(sections | {"hosts": {"mx1": host | {"extra_relay_clients": extra}}})
    assert "ClientCertificate carol create" in " ".join(str(mail.stack.preview().expect_success()).split())
    mail.stack.up().expect_success()
    rows = table_rows(mail.out / "mx1/postfix")
    assert rows.keys() == table_rows(kept.out / "mx1/postfix").keys() | {
        carol,
        handed_out(mail.out, "carol").fingerprint_sha256,
    }


def test_the_rows_of_a_host_are_turned_into_declarations(kept: Kept) -> None:
    """One for each fingerprint that is accepted, whatever its generation."""
    declared = from_hosts(kept)
    assert {each["fingerprint_sha256"] for each in declared} == table_rows(kept.out / "mx1/postfix").keys()
    assert [each["name"] for each in declared] == ["alice-1", "bob-1"]


@pytest.mark.needs_postfix
def test_without_a_state_the_authority_is_adopted_from_the_backup_of_its_key(
    kept: Kept, engine_home: Path, tmp_path: Path, postfix_instance: Boot
) -> None:
    """Old certificates relay beside new ones, and whoever knows only the old root verifies the new server."""
    mail = mail_stack(tmp_path, engine_home)
    mail.stack.set_config("ca-key", kept.authority_key_pem, is_secret=True)
    shutil.copytree(kept.out, mail.out)
    adopt = {"certificate_pem": kept.root_pem, "private_key_secret": "ca-key"}
    authority = SECTIONS["authority"] | {"adopt": adopt, "crl": {"first_crl_number": 2}}
    mail.declare(with_old_rows(kept, authority=authority))
    mail.stack.up().expect_success()
    assert (mail.out / "ca/ca.pem").read_text() == kept.root_pem
    instance = postfix_instance(mail.out / "mx1/postfix")
    people = {name: handed_out(mail.out, name) for name in PEOPLE}
    assert admitted(instance, kept.people) == set(PEOPLE)
    assert admitted(instance, people) == set(PEOPLE)
    assert not probe(instance.port, server_name=SERVER_NAME, ca=kept.root_pem).tls_error
    crl = x509.load_der_x509_crl((mail.out / "crl/authority.crl").read_bytes())
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2
    # Once everybody has the new files, the old fingerprints are taken out.
    mail.declare(SECTIONS | {"authority": authority})
    mail.stack.up().expect_success()
    instance = postfix_instance(mail.out / "mx1/postfix")
    assert (admitted(instance, kept.people), admitted(instance, people)) == (set(), set(PEOPLE))
    assert mail.stack.preview(expect_no_changes=True).is_success


@pytest.mark.needs_postfix
def test_without_a_state_and_without_the_key_a_new_authority_stands_beside_the_old_root(
    kept: Kept, engine_home: Path, tmp_path: Path, postfix_instance: Boot
) -> None:
    """First the new root is handed out while the host is left alone; then the host changes: nobody is locked out."""
    mail = mail_stack(tmp_path, engine_home)
    new = {"common_name": "Example Mail CA 2027", "path_length": 0}
    mail.declare({"authority": new, "clients": SECTIONS["clients"]})
    mail.stack.up().expect_success()
    both = kept.root_pem + (mail.out / "ca/ca.pem").read_text()
    before = postfix_instance(kept.out / "mx1/postfix")
    assert admitted(before, kept.people) == set(PEOPLE)
    assert not probe(before.port, server_name=SERVER_NAME, ca=both).tls_error

    trust = {"authorities": ["authority"], "roots_pem": [kept.root_pem]}
    extra = [{"name": f"{name}-1", "certificate_pem": each.certificate_pem} for name, each in kept.people.items()]
    host = SECTIONS["hosts"]["mx1"] | {"extra_relay_clients": extra, "trust": trust}
    declared = SECTIONS | {"authority": new, "hosts": {"mx1": host}}
    mail.declare(declared)
    mail.stack.up().expect_success()
    instance = postfix_instance(mail.out / "mx1/postfix")
    assert admitted(instance, kept.people) == set(PEOPLE)
    assert admitted(instance, {name: handed_out(mail.out, name) for name in PEOPLE}) == set(PEOPLE)
    assert not probe(instance.port, server_name=SERVER_NAME, ca=both).tls_error
    # The control: who was not given the new root first cannot verify the server any more.
    assert probe(instance.port, server_name=SERVER_NAME, ca=kept.root_pem).tls_error
    trusted = {
        each.subject.rfc4514_string() for each in load_certificates((mail.out / "mx1/postfix/tls/ca.pem").read_text())
    }
    assert trusted == {"CN=Example Mail CA", "CN=Example Mail CA 2027"}


def test_an_empty_file_of_attributes_is_deleted_and_the_state_is_whole(
    kept: Kept, engine_home: Path, tmp_path: Path
) -> None:
    """With our URL of the backend it is never written; who has it anyhow runs the page's command."""
    mail = rebuilt(kept, tmp_path, engine_home)
    state = tmp_path / "backend/state/.pulumi/stacks/mail-pki"
    assert list(state.rglob("*.attrs")) == []
    (state / "test.json.attrs").touch()
    for arguments in (("stack", "export"), ("cancel", "--yes"), ("preview",)):
        assert "failed to load checkpoint: EOF" in str(mail.stack.run(*arguments))
    page = (REPOSITORY / "docs/pipelines.md").read_text()
    assert "failed to load checkpoint: EOF" in page
    assert "?metadata=skip" in page
    (command,) = (line for line in page.splitlines() if line.startswith("$ find ") and ".attrs" in line)
    run_shell(mail, command.removeprefix("$ ").replace("STATE", str(tmp_path / "backend/state")))
    assert keys_of(mail.stack) == kept.keys
