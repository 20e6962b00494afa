"""The stack files of the repository as components, and what the program does with a configuration it cannot use."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from postfix.host import HostDeclaration
from postfix.host_checks import problems_of_declaration
from postseal.stack import build
from postseal.stack.build import build_stack, read_configuration
from postseal.stack.components import BuiltStack
from postseal.stack.config import load_stack
from postseal.stack.outputs import stack_outputs
from postseal_core.errors import ConfigError, Problem
from tests.support.mocks import Program, run_program, secrets_in_clear
from tests.support.provider import UNKNOWN
from tests.support.stack_files import client, load_repository_stack, roster, stack
from tests.support.test_authority import ThrowAwayAuthority


def previewed(stack_name: str) -> tuple[Program, dict[str, Any]]:
    """Return what a stack of the repository registers in a preview, and what it exports."""
    outputs: dict[str, Any] = {}
    program = run_program(
        lambda: outputs.update(stack_outputs(build_stack(load_repository_stack(stack_name)))), preview=True
    )
    return program, outputs


def names_of(program: Program, type_name: str) -> set[str]:
    """Return the names of all resources of a type."""
    return {each.name for each in program.registrations if each.type.rpartition(":")[2] == type_name}


@pytest.mark.parametrize("stack_name", ["dev", "staging", "prod"])
def test_everything_that_is_declared_is_registered_and_nothing_secret_is_in_clear(stack_name: str) -> None:
    """Each certificate and each host of the model has one registration; keys and archives are secrets."""
    program, outputs = previewed(stack_name)
    config = load_repository_stack(stack_name)
    assert names_of(program, "PostfixHost") == set(config.hosts) == set(outputs["hosts"])
    assert {*config.authorities} <= names_of(program, "Certificate")
    assert {*config.clients} == names_of(program, "ClientCertificate")
    assert outputs["certificates"]["clients"] == str(len(config.clients))
    assert [text for each in program.registrations for text in secrets_in_clear(each.properties)] == []


def test_dev_exports_nothing_that_it_does_not_declare() -> None:
    """No rosters, no lists; passphrases of archives are one secret."""
    program, outputs = previewed("dev")
    assert set(outputs) == {"authorities", "certificates", "hosts", "ledger_mx1", "pkcs12_passphrases"}
    assert isinstance(outputs["pkcs12_passphrases"], pulumi.Output)
    assert not program.one("CertificateAuthority").is_protected


def test_staging_publishes_both_roots_and_signs_with_the_first() -> None:
    """The standby has a key and a certificate, every host trusts it, and nothing names it as issuer."""
    program, _ = previewed("staging")
    assert names_of(program, "Certificate") >= {"root", "root-2"}
    assert set(program.one("PostfixHost", "mx1").properties["roots"]) == {"root", "root-2"}
    assert program.one("Certificate", "issuing").properties["issuer"]["slot"] == "root/1"


def test_each_host_of_a_stack_file_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the file is read; the resource takes the host over as it was checked."""
    checked: list[str] = []

    def count(host: HostDeclaration) -> list[Problem]:
        checked.append(host.name)
        return problems_of_declaration(host)

    monkeypatch.setattr("postfix.preflight.problems_of_declaration", count)
    program, _ = previewed("prod")
    assert sorted(checked) == sorted(names_of(program, "PostfixHost"))


def test_prod_has_a_roster_that_relays_and_is_handed_out() -> None:
    """The host gets its rows, the hand-out a folder for each client, below the roster."""
    program, outputs = previewed("prod")
    names = {row.name for row in load_repository_stack("prod").rosters["staff"].rows}
    (access,) = program.one("PostfixHost", "mx1").properties["access"].values()
    assert set(access["rosters"]) == {"staff"}
    assert program.one("HandOut", "staff-hand-out").properties["directory"] == "out/prod/rosters/staff"
    assert set(program.one("HandOut", "staff-hand-out").properties["folders"]) == names
    assert program.tree()["HandOut staff-hand-out"] == "ClientRoster staff"
    assert set(outputs["rosters"]["staff"]) == {"count", "summary", "next_due_at"}
    assert outputs["hosts"]["mx1"]["relay_rosters"] == ["staff"]


def test_prod_lists_what_its_issuing_authority_revokes() -> None:
    """All certificates and rosters of that authority are on the list, and the list is handed out."""
    program, outputs = previewed("prod")
    properties = program.one("RevocationList").properties
    listed = [each["name"] for each in properties["certificates"]]
    assert listed == ["mx1", "mx2", "alice", "bob", "carol", "relay1"]
    assert set(properties["rosters"]) == {"staff"}
    assert "lifetime_hours" not in properties  # 7d, the default
    assert set(program.one("HandOut", "hand-out").properties["folders"]["crl"]) == {"issuing.crl", "issuing.crl.pem"}
    assert set(outputs["revocation_lists"]["issuing"]) == {"crl_number", "this_update", "next_update", "renew_at"}


def test_what_the_file_says_about_a_list_is_declared() -> None:
    """Its lifetime, its renewal and where its numbers begin."""
    crl = {"lifetime": "14d", "renew_before": "3d", "first_crl_number": 40}
    config = load_stack({"authority": {"common_name": "CA", "crl": crl}}, [], stack_name="dev")
    properties = run_program(lambda: build_stack(config), preview=True).one("RevocationList").properties
    told = [properties[name] for name in ("lifetime_hours", "renew_before_hours", "first_crl_number")]
    assert told == [336, 72, 40]


def test_each_client_of_a_roster_gets_the_files_of_its_own() -> None:
    """An archive only where one is declared; keys and archives are readable by their owner only."""
    raw = roster(
        hand_out=True,
        clients={"anna": {"email": "a@example.org", "pkcs12": "legacy"}, "ben": {"email": "b@example.org"}},
    )
    built: list[BuiltStack] = []
    config = load_stack(raw, [], stack_name="dev")
    program = run_program(lambda: built.append(build_stack(config)), preview=True)
    hand_out = program.one("HandOut", "staff-hand-out").properties
    modes = {
        name: {file: each.get("is_secret", False) for file, each in files.items()}
        for name, files in hand_out["folders"].items()
    }
    assert modes == {
        "anna": {"anna.cert.pem": False, "anna.key.pem": True, "ca.pem": False, "anna.p12": True, "anna.txt": False},
        "ben": {"ben.cert.pem": False, "ben.key.pem": True, "ca.pem": False},
    }
    assert set(built[0].roster_passphrases) == {"anna"}
    assert UNKNOWN in hand_out["descriptions"].values()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that sets the program's configuration as the engine does, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi, "get_project", lambda: "mail-pki")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")

    def configure(sections: Mapping[str, Any], secret_keys: tuple[str, ...] = ()) -> None:
        values = {key: each if isinstance(each, str) else json.dumps(each) for key, each in sections.items()}
        monkeypatch.setenv("PULUMI_CONFIG", json.dumps(values))
        monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(list(secret_keys)))

    return configure


def qualified(raw: Mapping[str, Any], namespace: str = "mail-pki") -> dict[str, Any]:
    """Return the sections with their namespace."""
    return {f"{namespace}:{name}": section for name, section in raw.items()}


def test_configuration_and_files_are_read_as_the_engine_hands_them_over(configure: Any, tmp_path: Path) -> None:
    """Sections come as JSON, secrets as text; files are found from the project's directory."""
    (tmp_path / "staff.csv").write_text("name,email\nanna,anna@example.org\n", encoding="utf-8")
    raw = client(pkcs12={"passphrase_secret": "alice-passphrase"}) | roster(clients=None, file="staff.csv")
    raw["clients"] = client(pkcs12={"passphrase_secret": "alice-passphrase"})["clients"]
    raw["hosts"] = {}
    configure(qualified(raw | {"alice-passphrase": "12345678"}), ("mail-pki:alice-passphrase",))
    config = read_configuration()
    assert (config.out, [row.name for row in config.rosters["staff"].rows]) == ("out/dev", ["anna"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "staff.csv is not there"),
        ("name,email\nanna,\xe4@example.org\n".encode("latin-1"), "staff.csv is no UTF-8 text"),
        ("a directory", "staff.csv is no regular file"),
        (b"name,email\nanna,anna\n", "staff.csv line 2, email: got 'anna'"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_program_with_its_reason(
    configure: Any, tmp_path: Path, content: bytes | str | None, words: str
) -> None:
    """The error is a sentence for the user, not a traceback."""
    if isinstance(content, bytes):
        (tmp_path / "staff.csv").write_bytes(content)
    elif content:
        (tmp_path / "staff.csv").mkdir()
    configure(qualified(roster(clients=None, file="staff.csv")))
    with pytest.raises(pulumi.RunError, match="the configuration has a problem; nothing was changed") as caught:
        read_configuration()
    assert f"rosters.staff.file: {words}" in str(caught.value)


def test_a_section_of_another_project_stops_the_program(configure: Any) -> None:
    """Nothing else is told, for it would all follow from that."""
    configure(qualified(roster()) | {"mailpki:hosts": {}, "mail-pki:zzz": 1})
    with pytest.raises(pulumi.RunError) as caught:
        read_configuration()
    assert [line.strip() for line in str(caught.value).splitlines()[1:]] == [
        "mailpki:hosts: is read by nobody; the name of this project is mail-pki, so write mail-pki:hosts"
    ]


def test_what_a_component_refuses_is_told_like_a_mistake_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its problems, under one heading."""

    def refuse(_config: object) -> None:
        raise ConfigError([Problem("hosts.mx1", "one"), Problem("hosts.mx2", "two")])

    monkeypatch.setattr(build, "register_stack", refuse)
    with pytest.raises(pulumi.RunError) as caught:
        build_stack(load_repository_stack("dev"))
    assert str(caught.value).splitlines() == [
        "the configuration has 2 problems; nothing was changed:",
        "  hosts.mx1: one",
        "  hosts.mx2: two",
    ]


def test_a_server_may_be_handed_out_to_a_service_that_is_no_host() -> None:
    """Only those that say so are; others go to hosts alone."""
    raw = stack(
        servers={
            "imap": {"dns_names": ["imap.example.org"], "hand_out": True},
            "www": {"dns_names": ["www.example.org"]},
        }
    )
    program = run_program(lambda: build_stack(load_stack(raw, [], stack_name="dev")), preview=True)
    folders = program.one("HandOut", "hand-out").properties["folders"]
    assert {name for name in folders if name.startswith("servers/")} == {"servers/imap"}


def test_a_host_with_a_certificate_of_its_own_tells_what_was_seen_of_it() -> None:
    """Among its outputs; a host that serves one of ours has no such line."""
    merged = {"local": "/etc/postfix", "ownership": "merge"}
    hosts = {
        "mx1": {"myhostname": "mx1.example.org", "certificate": {"keep": True}, "target": merged},
        "mx2": {"myhostname": "mx2.example.org"},
    }
    outputs: dict[str, Any] = {}
    run_program(
        lambda: outputs.update(stack_outputs(build_stack(load_stack(stack(hosts=hosts), [], stack_name="dev"))))
    )
    assert isinstance(outputs["hosts"]["mx1"]["on_host"], pulumi.Output)
    assert "on_host" not in outputs["hosts"]["mx2"]


@pytest.mark.parametrize(
    ("settings", "is_preview", "is_refused"),
    [
        ({"clock": "2027-01-01"}, False, True),
        ({"clock": "2027-01-01", "rehearsal": "false"}, False, True),
        ({"clock": "2027-01-01"}, True, False),
        ({"clock": "2027-01-01", "rehearsal": "true"}, False, False),
        ({}, False, False),
    ],
    ids=["up", "up without a rehearsal", "preview", "rehearsal", "no clock"],
)
def test_nothing_is_changed_under_a_set_clock_but_on_a_rehearsal_stack(
    configure: Any, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], *, is_preview: bool, is_refused: bool
) -> None:
    """A preview may look at another day; what it says names both ways out."""
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: is_preview)
    configure(qualified(stack()) | {f"postseal:{name}": value for name, value in settings.items()})
    if not is_refused:
        assert set(read_configuration().hosts) == {"mx1"}
        return
    with pytest.raises(pulumi.RunError) as caught:
        read_configuration()
    (line,) = str(caught.value).splitlines()[1:]
    assert line.startswith("  postseal:clock: is set to 2027-01-01: ")
    assert "pulumi config rm postseal:clock" in line
    assert "pulumi config set postseal:rehearsal true" in line


def test_the_key_of_an_adopted_authority_is_tried_while_the_configuration_is_read(configure: Any) -> None:
    """With the secrets in clear, which only the program has; its own key passes."""
    old, other = ThrowAwayAuthority("Old CA"), ThrowAwayAuthority("Other CA")
    adopt = {"certificate_pem": old.certificate_pem, "private_key_secret": "ca-key"}
    sections = qualified({"authority": {"adopt": adopt}})
    configure(sections | {"mail-pki:ca-key": old.private_key_pem}, ("mail-pki:ca-key",))
    assert read_configuration().authorities["authority"].adopt
    configure(sections | {"mail-pki:ca-key": other.private_key_pem}, ("mail-pki:ca-key",))
    with pytest.raises(pulumi.RunError) as caught:
        read_configuration()
    assert str(caught.value).splitlines() == [
        "the configuration has a problem; nothing was changed:",
        "  authority.adopt.private_key_secret: ca-key is the key of another certificate: hand in its own",
    ]
