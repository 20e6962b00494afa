"""A host's configuration merged into the Postfix of this machine, from the engine's calls down to its tables."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from pki.fingerprint import certificate_fingerprint_sha256
from pki.verification import chain_pem
from postfix.host import HostDeclaration, Ownership, ServerSide
from postfix.settings import ServerSettings
from postfix.target import Local
from postseal.cli import main
from postseal_core.instants import format_instant
from postseal_core.records import encode
from tests.support.host_certificates import admitted_alice, alice, authority, served
from tests.support.plugin_runs import PluginRuns
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.provider import Secret
from tests.support.resource_properties import key_pem
from tests.support.specimens import VALIDITY

HOST = HostDeclaration("mx1", "mx1.example.org", ServerSide(ServerSettings(), ("mx1",)), ownership=Ownership.MERGE)


ROW = f"alice generation=1 not_after={format_instant(VALIDITY.not_after)[:10]}"


@pytest.fixture
def instance(postfix_instance: Boot, tmp_path: Path) -> PostfixInstance:
    """Return a running Postfix of somebody else."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text("# The administrator's comment.\ncompatibility_level = 3.6\nbiff = yes\n")
    return postfix_instance(rendered)


def declared(instance: PostfixInstance, host: HostDeclaration = HOST, *, has_alice: bool = True) -> dict[str, Any]:
    """Return a relay on that Postfix, with a certificate of its own name."""
    return {
        "declaration": encode(host),
        "target": encode(Local(str(instance.config_directory)).record),
        "chains": {
            host.name: {
                "description": "generation 1",
                "private_key_pem": Secret(key_pem()),
                "chain_pem": chain_pem([served()]),
            }
        },
        "roots": {"mail-ca": chain_pem([authority().certificate])},
        "access": {"smtp": {"clients": {"alice": admitted_alice()} if has_alice else {}}},
    }


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_a_running_postfix_is_brought_to_its_declaration_and_back(
    plugin: PluginRuns, instance: PostfixInstance
) -> None:
    """Create reloads, no change is none, drift is put right, a row goes, and delete leaves nothing of ours."""
    before = instance.postconf("-n")
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(instance))
    assert plugin.lines[-1] == "Postfix was reloaded"
    table = instance.config_directory / "relay_clientcerts"
    assert certificate_fingerprint_sha256(alice()) in table.read_text()
    assert "smtpd_tls_chain_files" in instance.postconf("-n")
    assert plugin.up(host, declared(instance)) == {}

    table.write_text("")
    assert plugin.up(host, declared(instance)) == {"changed_outside": "update"}
    assert certificate_fingerprint_sha256(alice()) in table.read_text()
    assert any("relay_clientcerts was changed" in line for line in plugin.lines)

    main_cf = instance.config_directory / "main.cf"
    main_cf.write_text(main_cf.read_text().replace("smtpd_tls_security_level = may", "smtpd_tls_security_level = none"))
    assert plugin.up(host, declared(instance)) == {"changed_outside": "update"}
    assert "smtpd_tls_security_level = may" in main_cf.read_text()
    said = "smtpd_tls_security_level is 'none', and was left as 'may'; it will be as declared"
    assert f"mx1: {main_cf} was changed or removed by somebody else: {said}" in plugin.lines

    # A run that was cut off in between: the files are as declared, and Postfix may not have read them.
    (instance.config_directory / ".postseal/unread").touch()
    assert plugin.up(host, declared(instance)) == {"changed_outside": "update"}
    assert any("`up` has them read, and proves it" in line for line in plugin.lines)
    assert plugin.lines[-1] == "Postfix was reloaded"
    assert plugin.up(host, declared(instance)) == {}

    without = plugin.up(host, declared(instance, has_alice=False))
    assert without == {'changes["will no longer be let in"]': "add", "reload": "add"}
    assert certificate_fingerprint_sha256(alice()) not in table.read_text()

    plugin.start_run()
    host.refresh()
    host.delete()
    assert not table.exists()
    after = instance.postconf("-n")
    assert {*after.splitlines()} <= {*before.splitlines()}
    assert after.startswith("alias_database")


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_a_host_under_a_new_name_takes_the_postfix_over(plugin: PluginRuns, instance: PostfixInstance) -> None:
    """The old name is deleted last: it takes what is its own and gives back what it changed, and no more."""
    old, new = plugin.resource("MailServer", "mx1"), plugin.resource("MailServer", "relay")
    plugin.up(old, declared(instance, replace(HOST, parameters={"biff": "no", "bounce_size_limit": "40000"})))
    plugin.up(new, declared(instance, replace(HOST, name="relay", server=ServerSide(ServerSettings(), ("relay",)))))
    taken_over = instance.postconf("-n").splitlines()
    old.delete()
    left = {"biff = no": "biff = yes", "bounce_size_limit = 40000": ""}
    assert instance.postconf("-n").splitlines() == [*filter(None, (left.get(line, line) for line in taken_over))]
    assert {path.name for path in (instance.config_directory / "tls").iterdir()} == {"ca.pem", "relay.pem"}
    assert certificate_fingerprint_sha256(alice()) in (instance.config_directory / "relay_clientcerts").read_text()


def test_a_configuration_directory_that_is_not_there_is_one_sentence(plugin: PluginRuns, tmp_path: Path) -> None:
    """Without Postfix on the machine the user is told which directory was looked for."""
    absent = str(tmp_path / "absent")
    host = plugin.resource("MailServer", "mx1")
    nothing: dict[str, Any] = {
        "declaration": encode(HostDeclaration("mx1", "mx1.example.org", ownership=Ownership.MERGE)),
        "target": encode(Local(absent).record),
    }
    sentence = plugin.refusal(host.apply, host.check(nothing))
    assert absent in sentence
    assert "internal error" not in sentence


@pytest.mark.needs_postfix
@pytest.mark.takes_long
@pytest.mark.parametrize("table_type", ["texthash", "hash"])
def test_a_table_of_the_administrator_is_kept_and_given_back(
    plugin: PluginRuns, instance: PostfixInstance, table_type: Literal["texthash", "hash"]
) -> None:
    """A host that lets clients in already: its table is refused, then taken over, then as it was, index and all."""
    table = instance.config_directory / "relay_clientcerts"
    table.write_text("D7:04 branch-1\n")
    table.with_suffix(".db").write_bytes(b"their index")
    host = plugin.resource("MailServer", "mx1")
    relay = declared(instance, replace(HOST, table_type=table_type))
    plugin.start_run()
    checked = host.check(relay)
    way_out = {"texthash": f"{table}: a file that is not ours", "hash": "[relay_clientcerts, relay_clientcerts.db]"}
    for step in (host.plan, host.apply):
        assert way_out[table_type] in plugin.refusal(step, checked)
    assert table.read_text() == "D7:04 branch-1\n"

    target = Local(str(instance.config_directory), take_over=("relay_clientcerts",)).record
    plugin.up(host, relay | {"target": encode(target)})
    assert sum(f"{table} is not ours and is taken over" in line for line in plugin.lines) == 2
    assert certificate_fingerprint_sha256(alice()) in table.read_text()
    assert (table.with_suffix(".db").read_bytes() == b"their index") == (table_type == "texthash")
    assert plugin.up(host, relay | {"target": encode(target)}) == {}
    host.delete()
    assert table.read_text() == "D7:04 branch-1\n"
    assert table.with_suffix(".db").read_bytes() == b"their index"
    assert not [path for path in instance.config_directory.iterdir() if "postseal" in path.name]


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_a_request_to_delete_cannot_widen_who_may_relay(plugin: PluginRuns, instance: PostfixInstance) -> None:
    """A made-up state whose values are to be given back changes no byte of a main.cf."""
    host = plugin.resource("MailServer", "mx1")
    main_cf = instance.config_directory / "main.cf"
    forged = {"parameters": ["biff", "mynetworks"], "originals": {"mynetworks": "0.0.0.0/0", "biff": "yes"}}
    before = main_cf.read_bytes()
    host.outputs = {"name": "mx1", "target": declared(instance)["target"], "deployed": forged}
    host.delete()
    assert main_cf.read_bytes() == before
    assert any("main.cf: mynetworks is left as it is" in line for line in plugin.lines)
    plugin.up(host, declared(instance))
    host.outputs["deployed"]["originals"] = {"relay_clientcerts": "static:all"}
    host.delete()
    assert "static" not in main_cf.read_text()


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_a_preview_says_that_a_host_was_taken_back_and_the_next_run_brings_what_is_declared(
    plugin: PluginRuns, instance: PostfixInstance
) -> None:
    """Also which rows that brings and takes; afterwards nobody speaks of it any more."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(instance))
    plugin.up(host, declared(instance, has_alice=False))
    table, fingerprint = instance.config_directory / "relay_clientcerts", certificate_fingerprint_sha256(alice())
    assert main(["rollback", str(instance.config_directory)]) == 0
    assert fingerprint in table.read_text()
    at = len(plugin.lines)
    assert plugin.preview(host, declared(instance, has_alice=False))[0] == {"changed_outside": "update"}
    said = plugin.lines[at:]
    assert any("was taken back by `postseal rollback` at 20" in line for line in said)
    assert any("a row goes" in line and fingerprint in line for line in said)
    assert fingerprint in table.read_text()
    assert plugin.up(host, declared(instance, has_alice=False)) == {"changed_outside": "update"}
    assert fingerprint not in table.read_text()
    at = len(plugin.lines)
    assert plugin.up(host, declared(instance, has_alice=False)) == {}
    assert not any("taken back" in line for line in plugin.lines[at:])


@pytest.mark.needs_postfix
@pytest.mark.takes_long
def test_files_of_an_earlier_run_that_come_from_a_backup_do_not_stay(
    plugin: PluginRuns, instance: PostfixInstance, tmp_path: Path
) -> None:
    """With the mark that calls them ours: they let in who was withdrawn since, and the stack has not changed."""
    host = plugin.resource("MailServer", "mx1")
    plugin.up(host, declared(instance))
    place, backup = instance.config_directory, tmp_path / "backup"
    shutil.copytree(place, backup, ignore=shutil.ignore_patterns(".postseal"))
    plugin.up(host, declared(instance, has_alice=False))
    table, fingerprint = place / "relay_clientcerts", certificate_fingerprint_sha256(alice())
    for file in backup.iterdir():
        if file.is_file():
            shutil.copy2(file, place / file.name)
    assert fingerprint in table.read_text()
    at = len(plugin.lines)
    assert plugin.up(host, declared(instance, has_alice=False)) == {"changed_outside": "update"}
    assert any("of another run than the stored one" in line for line in plugin.lines[at:])
    assert fingerprint not in table.read_text()
    assert plugin.up(host, declared(instance, has_alice=False)) == {}
