"""A Postfix whose server certificate somebody else renews lets our clients in, and keeps what it serves."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pki.verification import chain_pem
from postfix.host import HostDeclaration, OnHost, Ownership, ServerSide
from postfix.rendering import SERVED_BY
from postfix.settings import RelayPolicy, ServerSettings
from postfix.target import Directory, Local
from postseal_core.instants import format_instant
from postseal_core.records import encode
from tests.support.loopback import until
from tests.support.plugin_runs import PluginRuns
from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.provider import Resource, Secret
from tests.support.resource_properties import key_pem
from tests.support.smtp_probe import probe
from tests.support.specimens import issue_leaf, make_authority
from tests.support.test_authority import Credential, ThrowAwayAuthority

NAME = "mx1.example.org"
KEEP = OnHost()
PUBLIC = ThrowAwayAuthority("A public authority")
OURS = ThrowAwayAuthority("Example Mail CA")
ALICE = OURS.issue_client("alice")
BOB = OURS.issue_client("bob")
EXPIRED = (-30, -1)

pytestmark = [pytest.mark.needs_postfix, pytest.mark.takes_long]


@dataclass(slots=True)
class Machine:
    """A machine on which certbot keeps the certificate of its running Postfix."""

    instance: PostfixInstance
    files: Path
    renewals: int = 0

    @property
    def chain_files(self) -> tuple[str, str]:
        """Key and chain, by the names that certbot gives its links."""
        return str(self.files / "live/privkey.pem"), str(self.files / "live/fullchain.pem")

    @property
    def main_cf(self) -> Path:
        """The file that both write to."""
        return self.instance.config_directory / "main.cf"

    def renew(self, credential: Credential) -> Credential:
        """Put a certificate in place as certbot does: new files, and links that lead to them."""
        self.renewals += 1
        for name, text in (("privkey", credential.private_key_pem), ("fullchain", credential.certificate_pem)):
            stored = self.files / f"archive/{name}{self.renewals}.pem"
            stored.parent.mkdir(parents=True, exist_ok=True)
            stored.write_text(text)
            stored.chmod(0o600)
            link = self.files / f"live/{name}.pem"
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(f"../archive/{stored.name}")
        return credential

    def serves(self, credential: Credential) -> bool:
        """Return whether a client that insists on the public authority is served this certificate, after a reload.

        On a busy machine a process from before the reload may take the first connection and end.
        """
        self.instance.reload()
        return bool(until(lambda: self._served() == credential.fingerprint_sha256, 10))

    def _served(self) -> str | None:
        return probe(self.instance.port, server_name=NAME, ca=PUBLIC.certificate_pem).served_fingerprint_sha256

    def may_relay(self, client: Credential | None) -> bool:
        """Return whether a client may relay."""
        return probe(self.instance.port, client_certificate=client).may_relay


@pytest.fixture
def machine(postfix_instance: Boot, tmp_path: Path) -> Machine:
    """Return a machine that serves its own certificate, by the two parameters that most have."""
    files = tmp_path / "letsencrypt"
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text(
        "# Ours since 2009.\ncompatibility_level = 3.6\nmyhostname = mx1.example.org\n"
        f"smtpd_tls_cert_file = {files}/live/fullchain.pem\n"
        f"smtpd_tls_key_file={files}/live/privkey.pem\n"
        "smtpd_tls_security_level = may\n"
    )
    first = Machine(None, files)  # type: ignore[arg-type]  # the files are there before the Postfix that reads them
    first.renew(PUBLIC.issue_server(NAME))
    return replace(first, instance=postfix_instance(rendered))


def declared(machine: Machine, on_host: OnHost | None = KEEP, **server: Any) -> dict[str, Any]:
    """Return a relay on that Postfix that lets alice in, by her fingerprint alone."""
    settings = ServerSettings(ca_file=False, relay=RelayPolicy(networks=()))
    side = ServerSide(settings, () if on_host else ("mx1",), on_host=on_host, **server)
    host = HostDeclaration("mx1", NAME, side, ownership=Ownership.MERGE)
    chain = {
        "description": "1",
        "private_key_pem": Secret(key_pem()),
        "chain_pem": chain_pem([issue_leaf(make_authority())]),
    }
    return {
        "declaration": encode(host),
        "target": encode(Local(str(machine.instance.config_directory)).record),
        "chains": {} if on_host else {"mx1": chain},
        "access": {"smtp": {"extra": {"alice": {"fingerprint_sha256": ALICE.fingerprint_sha256}}}},
    }


@pytest.fixture
def host(plugin: PluginRuns) -> Resource:
    """Return a host that does not exist yet; the clock is that of the certificates."""
    plugin.now = datetime.now(UTC).replace(microsecond=0)
    return plugin.resource("MailServer", "mx1")


def lines_of(main_cf: Path) -> list[str]:
    """Return the lines about what is served."""
    return [line for line in main_cf.read_text().splitlines() if line.startswith(SERVED_BY)]


def test_the_host_serves_what_it_served_and_lets_listed_clients_relay(
    plugin: PluginRuns, machine: Machine, host: Resource
) -> None:
    """Its lines stay byte for byte; alice relays, and neither bob nor a stranger does."""
    before, credential = lines_of(machine.main_cf), PUBLIC.issue_server(NAME)
    machine.renew(credential)
    plugin.up(host, declared(machine))
    assert lines_of(machine.main_cf) == before
    assert machine.serves(credential)
    assert [machine.may_relay(each) for each in (ALICE, BOB, None)] == [True, False, False]
    (seen,) = host.outputs["on_host"]["certificates"]
    assert (seen["kind"], seen["dns_names"], seen["fingerprint_sha256"]) == (
        "ECDSA",
        [NAME],
        credential.fingerprint_sha256,
    )
    assert host.outputs["on_host"]["seen_at"] == format_instant(plugin.now)
    until = seen["not_after"]
    assert f"serves the host's own ECDSA certificate for {NAME}, until {until}" in plugin.lines
    assert plugin.up(host, declared(machine)) == {}
    assert plugin.clear_secrets() == []
    host.delete()
    assert lines_of(machine.main_cf) == before
    assert not machine.may_relay(ALICE)


def test_a_renewal_on_the_host_is_noticed_by_the_next_run(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """Nothing is deployed for it, and the state says until when the new one is good."""
    plugin.up(host, declared(machine))
    renewed = machine.renew(PUBLIC.issue_server(NAME, days=(-1, 60)))
    assert plugin.up(host, declared(machine)) == {"changed_outside": "update"}
    assert plugin.lines[-1] == "nothing changed, Postfix was left alone"
    assert host.outputs["on_host"]["certificates"][0]["fingerprint_sha256"] == renewed.fingerprint_sha256
    assert plugin.up(host, declared(machine)) == {}


def test_a_look_is_repeated_once_it_is_a_week_old(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """That nothing was renewed is news, too; until then a run that sees the same is no change."""
    plugin.up(host, declared(machine))
    first = plugin.now
    plugin.now = first + timedelta(days=7) - timedelta(seconds=1)
    assert plugin.up(host, declared(machine)) == {}
    plugin.now = first + timedelta(days=7)
    assert plugin.up(host, declared(machine)) == {"look_again_at": "update"}
    assert host.outputs["on_host"]["seen_at"] == format_instant(plugin.now)
    assert plugin.lines[-1] == "nothing changed, Postfix was left alone"
    assert plugin.up(host, declared(machine)) == {}


def test_a_refresh_looks_again(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """How old the fact is, is counted from then on."""
    plugin.up(host, declared(machine))
    renewed = machine.renew(PUBLIC.issue_server(NAME))
    plugin.start_run()
    host.refresh()
    assert host.outputs["on_host"]["certificates"][0]["fingerprint_sha256"] == renewed.fingerprint_sha256


FAULTS: dict[str, tuple[Callable[[Machine], object], str]] = {
    "missing": (lambda m: Path(m.chain_files[1]).unlink(), "fullchain.pem is not there"),
    "dangling": (lambda m: Path(m.chain_files[0]).resolve().unlink(), "privkey.pem is not there"),
    "a pipe": (lambda m: os.mkfifo(_instead(m.chain_files[1])), "fullchain.pem is no regular file"),
    "empty": (lambda m: _instead(m.chain_files[1]).touch(), "holds neither a key nor a certificate"),
    "another key": (
        lambda m: _instead(m.chain_files[0]).write_text(BOB.private_key_pem),
        "does not belong to the private key",
    ),
    "another name": (lambda m: m.renew(PUBLIC.issue_server("mx2.example.org")), f"{NAME} is not covered"),
    "expired": (lambda m: m.renew(PUBLIC.issue_server(NAME, days=EXPIRED)), "the ECDSA certificate expired at"),
    "not begun": (lambda m: m.renew(PUBLIC.issue_server(NAME, days=(1, 30))), "is not valid before"),
    "for clients": (lambda m: m.renew(PUBLIC.issue_client(NAME)), "lacks serverAuth"),
}


def _instead(path: str) -> Path:
    Path(path).unlink()
    return Path(path)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_cannot_be_served_is_refused_and_later_told(
    fault: str, plugin: PluginRuns, machine: Machine, host: Resource
) -> None:
    """At first nothing is changed; once the host is deployed to, a client's row goes in and out all the same."""
    spoil, words = FAULTS[fault]
    good = declared(machine)
    spoil(machine)
    before = machine.main_cf.read_bytes()
    plugin.start_run()
    checked = host.check(good)
    assert words in plugin.refusal(host.plan, checked)
    assert words in plugin.refusal(host.apply, checked)
    assert machine.main_cf.read_bytes() == before
    assert not (machine.instance.config_directory / "relay_clientcerts").exists()

    machine.renew(PUBLIC.issue_server(NAME))
    plugin.up(host, good)
    spoil(machine)
    other = {**good, "access": {"smtp": {"extra": {"bob": {"fingerprint_sha256": BOB.fingerprint_sha256}}}}}
    if fault == "a pipe":
        # Postfix waits for it for ever from any reload on: that nobody is answered is an error, and only once.
        plugin.start_run()
        assert "does not answer" in plugin.refusal(host.apply, host.check(other))
    plugin.up(host, other)
    assert any(words in line for line in plugin.lines)
    table = (machine.instance.config_directory / "relay_clientcerts").read_text()
    assert BOB.fingerprint_sha256 in table
    assert ALICE.fingerprint_sha256 not in table


def test_files_that_main_cf_does_not_serve_are_refused(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """With the command that would serve them; those that it does serve are taken, whatever parameters name them."""
    plugin.start_run()
    checked = host.check(declared(machine, OnHost(("/etc/ssl/other.pem",))))
    said = plugin.refusal(host.apply, checked)
    assert "postconf -e 'smtpd_tls_chain_files = /etc/ssl/other.pem'" in said
    assert "live/privkey.pem" in said
    before = lines_of(machine.main_cf)
    plugin.up(host, declared(machine, OnHost(machine.chain_files)))
    assert lines_of(machine.main_cf) == before


def test_two_certificates_are_seen_and_served_each(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """RSA beside ECDSA in one list, and each is handed to the client that wants it."""
    elliptic, rsa = PUBLIC.issue_server(NAME), PUBLIC.issue_server(NAME, has_rsa_key=True)
    paths = [machine.files / f"{name}.pem" for name in ("ecdsa", "rsa")]
    for path, credential in zip(paths, (elliptic, rsa), strict=True):
        credential.write_chain(path)
    text = "".join(line + "\n" for line in machine.main_cf.read_text().splitlines() if not line.startswith(SERVED_BY))
    machine.main_cf.write_text(f"{text}smtpd_tls_chain_files = {paths[0]}, {paths[1]}\n")
    plugin.up(host, declared(machine, OnHost(tuple(map(str, paths)))))
    kinds = {each["kind"]: each["fingerprint_sha256"] for each in host.outputs["on_host"]["certificates"]}
    assert kinds == {"ECDSA": elliptic.fingerprint_sha256, "RSA": rsa.fingerprint_sha256}
    machine.instance.reload()
    for algorithm, credential in (("ECDSA", elliptic), ("RSA", rsa)):
        shown = machine.instance.command(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{machine.instance.port}", "-starttls", "smtp", "-tls1_2"),
            *("-cipher", f"ECDHE-{algorithm}-AES256-GCM-SHA384"),
            stdin="Q\n",
        )
        printed = machine.instance.command("openssl", "x509", "-noout", "-fingerprint", "-sha256", stdin=shown.stdout)
        assert credential.fingerprint_sha256 in printed.stdout


def test_from_a_certificate_of_ours_back_to_the_hosts_own(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """What the host said before gets its value back, and is looked at as it will be."""
    before = machine.instance.postconf("-h", *SERVED_BY)
    plugin.up(host, declared(machine, None))
    assert machine.instance.postconf("-h", *SERVED_BY) != before
    plugin.up(host, declared(machine))
    assert machine.instance.postconf("-h", *SERVED_BY) == before
    assert host.outputs["on_host"]["certificates"][0]["dns_names"] == [NAME]
    assert not (machine.instance.config_directory / "tls/mx1.pem").exists()


def test_a_file_of_ours_is_none_of_the_hosts_own(plugin: PluginRuns, machine: Machine, host: Resource) -> None:
    """It goes with the declaration that it was made for, and Postfix would serve no TLS."""
    plugin.up(host, declared(machine, None))
    ours = machine.instance.config_directory / "tls/mx1.pem"
    whole = declared(machine, OnHost((str(ours),)))
    main_cf = machine.main_cf.read_text()
    plugin.start_run()
    checked = host.check(whole)
    assert "main.cf serves" in plugin.refusal(host.apply, checked)
    assert machine.main_cf.read_text() == main_cf


def test_of_a_directory_nobody_can_tell(plugin: PluginRuns, machine: Machine, host: Resource, tmp_path: Path) -> None:
    """The files are on another machine: main.cf names them, and that they were not looked at is said and stored."""
    settings = ServerSettings(ca_file=False, relay=RelayPolicy(networks=()))
    side = ServerSide(settings, on_host=OnHost(("/etc/ssl/mx1.pem",)))
    rendered = {
        **declared(machine),
        "declaration": encode(HostDeclaration("mx1", NAME, side)),
        "target": encode(Directory(str(tmp_path / "out")).record),
    }
    plugin.up(host, rendered)
    assert "smtpd_tls_chain_files = /etc/ssl/mx1.pem" in (tmp_path / "out/main.cf").read_text()
    assert host.outputs["on_host"]["cannot_tell"] == "the files are on another machine, where nothing here looks"
    assert any(line.startswith("cannot tell what certificate the host serves") for line in plugin.lines)
    assert plugin.up(host, rendered) == {}


def test_a_main_cf_of_ours_names_the_files_and_they_are_looked_at(
    plugin: PluginRuns, machine: Machine, host: Resource
) -> None:
    """Owned as a whole, main.cf says nothing else; a file that is missing is refused before it is replaced."""
    # Another queue is in it: a Postfix that runs is refused.
    machine.instance.stop()
    before = machine.main_cf.read_bytes()
    side = ServerSide(ServerSettings(ca_file=False), on_host=OnHost(machine.chain_files))
    target = Local(str(machine.instance.config_directory), ownership=Ownership.WHOLE)
    whole = {
        **declared(machine),
        "declaration": encode(HostDeclaration("mx1", NAME, side)),
        "target": encode(target.record),
        "access": {},
    }
    link = Path(machine.chain_files[1])
    led_to = link.readlink()
    link.unlink()
    plugin.start_run()
    checked = host.check(whole)
    assert "fullchain.pem is not there; nothing was changed" in plugin.refusal(host.apply, checked)
    assert machine.main_cf.read_bytes() == before
    link.symlink_to(led_to)
    plugin.up(host, whole)
    assert machine.instance.postconf("-h", "smtpd_tls_chain_files") == ", ".join(machine.chain_files) + "\n"
    assert [each["kind"] for each in host.outputs["on_host"]["certificates"]] == ["ECDSA"]
