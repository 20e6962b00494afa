"""The stack file of docs/server-certificates.md, brought up on a Postfix that has a certificate of its own."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from postfix.rendering import SERVED_BY
from tests.support.engine import REPOSITORY, Result
from tests.support.loopback import until
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import ProbeResult, probe
from tests.support.stacks import MailStack, certificates, file_modes, mail_stack, revealed
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.needs_openssl]

NAME = "mx1.example.org"
PAGE = (REPOSITORY / "docs/server-certificates.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PUBLIC = ThrowAwayAuthority("A public authority")


@dataclass(slots=True)
class Moment:
    """What the machine did after one run."""

    result: Result
    lines: list[str]
    log: str
    sessions: Mapping[str, ProbeResult]

    @property
    def served(self) -> set[str | None]:
        """Fingerprints of what clients were served."""
        return {session.served_fingerprint_sha256 for session in self.sessions.values()}

    @property
    def admitted(self) -> set[str]:
        """Those who may relay."""
        return {name for name, session in self.sessions.items() if session.may_relay}


@dataclass(slots=True)
class Machine:
    """The machine of the page: certbot's directory, Postfix, and a stack that is deployed to it."""

    directory: Path
    instance: PostfixInstance
    mail: MailStack
    issued: list[Credential] = field(default_factory=list)
    moments: dict[str, Moment] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)

    def here(self, text: str) -> str:
        """Return a text of the page with the places of this machine."""
        moved = text.replace("/etc/postfix", str(self.instance.config_directory))
        return moved.replace("/etc/letsencrypt", str(self.directory / "letsencrypt"))

    def sections(self) -> dict[str, Any]:
        """Return the stack file of the page: all its blocks, put together."""
        merged: dict[str, Any] = {}
        for block in BLOCKS:
            for key, value in yaml.safe_load(self.here(block)).items():
                if key.startswith("mail-pki:"):
                    merged.setdefault(key.removeprefix("mail-pki:"), {}).update(value)
        merged["authority"]["protect"] = False
        # Loopback is trusted by default, and all of these clients come from there.
        merged["hosts"]["mx1"]["relay"] = {"networks": []}
        return merged

    def renew(self) -> None:
        """Renew the certificate as certbot does, without telling anybody."""
        live = self.directory / f"letsencrypt/live/{NAME}"
        live.mkdir(parents=True, exist_ok=True)
        self.issued.append(PUBLIC.issue_server(NAME))
        for name, text in (
            ("privkey", self.issued[-1].private_key_pem),
            ("fullchain", self.issued[-1].certificate_pem),
        ):
            stored = self.directory / f"letsencrypt/{name}{len(self.issued)}.pem"
            stored.write_text(text)
            (live / f"{name}.pem").unlink(missing_ok=True)
            (live / f"{name}.pem").symlink_to(stored)

    def up(self, name: str, sections: Mapping[str, Any]) -> None:
        """Run the engine on a stack file and look at the host."""
        self.mail.declare(sections)
        mark = self.instance.mark()
        result = self.mail.stack.run("up", "--yes", "--skip-preview")
        if "Postfix was reloaded" in str(result):
            self.instance.wait_for_log(r"reload -- version", since=mark)
        main_cf = (self.instance.config_directory / "main.cf").read_text()
        lines = [line for line in main_cf.splitlines() if line.startswith(SERVED_BY)]
        self.moments[name] = Moment(result, lines, self.instance.log_since(mark), self._sessions())

    def _sessions(self) -> dict[str, ProbeResult]:
        state = certificates(self.mail.stack.export(show_secrets=True))
        alice = state.get("alice")
        people: dict[str, Credential | None] = {"nobody": None}
        if alice:
            people["alice"] = Credential(alice["certificate_pem"], str(revealed(alice["private_key_pem"])), "")
        people["stranger"] = ThrowAwayAuthority("Example Mail CA").issue_client("alice@example.org")
        return {
            name: probe(self.instance.port, client_certificate=each, server_name=NAME) for name, each in people.items()
        }


@pytest.fixture(scope="module")
def machine(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Bring up what the page declares, renew on the host, and go back and forth."""
    directory = tmp_path_factory.mktemp("server-certificates")
    live = directory / f"letsencrypt/live/{NAME}"
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(
        f"compatibility_level = 3.6\nmyhostname = {NAME}\nsmtpd_tls_security_level = may\n"
        f"smtpd_tls_cert_file={live}/fullchain.pem\nsmtpd_tls_key_file = {live}/privkey.pem\n"
    )
    first = Machine(directory, None, None)  # type: ignore[arg-type]  # Postfix starts when the files are there
    first.renew()
    with boot(directory / "rendered") as instance:
        first.instance, first.mail = instance, mail_stack(directory, engine_home)
        yield _told(first)


def _told(machine: Machine) -> Machine:
    declared = machine.sections()
    machine.up("kept", declared)
    machine.found = {
        "outputs": machine.mail.stack.outputs(),
        "export": machine.mail.stack.export(),
        "modes": file_modes(machine.mail.out / "servers/imap"),
    }
    named = deepcopy(declared)
    (fragment,) = (yaml.safe_load(machine.here(block)) for block in BLOCKS if "on_host" in block)
    named["hosts"]["mx1"]["certificate"] = fragment["certificate"]
    machine.up("named", named)
    wrong = deepcopy(named)
    wrong["hosts"]["mx1"]["certificate"]["on_host"]["chain_files"] = ["/etc/ssl/other.pem"]
    machine.up("wrong", wrong)
    machine.renew()
    machine.up("renewed", declared)
    ours = deepcopy(declared)
    del ours["hosts"]["mx1"]["certificate"]
    machine.up("ours", ours)
    machine.up("back", declared)
    return machine


def test_the_host_serves_its_own_certificate_and_admits_the_client(machine: Machine) -> None:
    """The lines that name it stay byte for byte; nobody else relays."""
    kept = machine.moments["kept"]
    kept.result.expect_success()
    assert kept.served == {machine.issued[0].fingerprint_sha256}
    assert kept.admitted == {"alice"}
    assert [line.partition("=")[0].strip() for line in kept.lines] == ["smtpd_tls_cert_file", "smtpd_tls_key_file"]
    assert f"serves the host's own ECDSA certificate for {NAME}, until 20" in str(kept.result)
    assert not (machine.instance.config_directory / "tls/mx1.pem").exists()


def test_the_expiry_is_an_output_and_in_the_report(machine: Machine) -> None:
    """With the instant at which somebody looked; of a host in a directory nobody can tell."""
    on_host = machine.found["outputs"]["hosts"]["mx1"]["on_host"]
    (certificate,) = on_host["certificates"]
    assert certificate["dns_names"] == [NAME]
    assert certificate["fingerprint_sha256"] == machine.issued[0].fingerprint_sha256
    assert on_host["seen_at"]
    export = machine.directory / "export.json"
    export.write_text(json.dumps(machine.found["export"]))
    shown = subprocess.run(
        [REPOSITORY / ".venv/bin/postseal", "report", "--file", export, "--kind", "on_host"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    assert "Certificates that hosts have by themselves (1)" in shown
    assert "mx1 (seen today)" in shown
    assert certificate["not_after"][:10] in shown


def test_files_that_are_named_must_be_those_that_are_served(machine: Machine) -> None:
    """Naming them changes nothing; naming others is refused, with what would serve them."""
    assert machine.moments["named"].lines == machine.moments["kept"].lines
    machine.moments["named"].result.expect_success()
    wrong = machine.moments["wrong"]
    assert not wrong.result.is_success
    assert "postconf -e 'smtpd_tls_chain_files = /etc/ssl/other.pem'" in str(wrong.result)
    assert wrong.lines == machine.moments["kept"].lines
    assert wrong.admitted == {"alice"}


def test_a_renewal_on_the_host_is_stored_and_reloads_nothing(machine: Machine) -> None:
    """The next run sees another certificate; telling Postfix is up to whoever renews."""
    renewed = machine.moments["renewed"]
    renewed.result.expect_success()
    assert "nothing changed, Postfix was left alone" in str(renewed.result)
    assert "reload" not in renewed.log


def test_without_the_key_the_stack_serves_its_own_and_gives_back_what_was(machine: Machine) -> None:
    """The negative control: the same merge empties the parameters; with the key they have their values again."""
    ours, back = machine.moments["ours"], machine.moments["back"]
    ours.result.expect_success()
    back.result.expect_success()
    (served,) = ours.served
    assert served not in {each.fingerprint_sha256 for each in machine.issued}
    assert {*ours.lines} >= {"smtpd_tls_cert_file =", "smtpd_tls_key_file ="}
    assert back.lines == machine.moments["kept"].lines
    assert back.served == {machine.issued[1].fingerprint_sha256}
    assert back.admitted == {"alice"}


def _handshake(port: int, *options: str) -> str:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-starttls", "smtp", *options]
    return subprocess.run(command, input="Q\n", capture_output=True, text=True, check=False, timeout=30).stdout


def test_each_client_gets_the_certificate_that_it_can_use(machine: Machine) -> None:
    """The rendered host of the page serves RSA beside ECDSA; a client for neither gets none."""
    with boot(machine.mail.out / "mx2/postfix") as instance:
        for algorithm, bits in (("ECDSA", "256 bit"), ("RSA", "2048 bit")):
            shown = _handshake(instance.port, "-tls1_2", "-cipher", f"ECDHE-{algorithm}-AES256-GCM-SHA384")
            assert f"Server public key is {bits}" in shown
        assert "Cipher is (NONE)" in _handshake(instance.port, "-tls1_2", "-cipher", "DHE-DSS-AES256-GCM-SHA384:PSK")


def test_a_node_serves_the_certificate_of_the_name_that_clients_connect_to(machine: Machine) -> None:
    """Who connects to the node's own name and insists on it is refused."""
    with boot(machine.mail.out / "n7/postfix") as instance:
        pem = (machine.mail.out / "n7/postfix/tls/smtp.pem").read_text()
        trusted = pem[pem.index("-----BEGIN CERTIFICATE") :]
        assert probe(instance.port, server_name="smtp.example.org", ca=trusted).tls_error == ""
        assert "VERIFY" in probe(instance.port, server_name="node7.example.org", ca=trusted).tls_error


def test_another_service_serves_what_it_is_handed(machine: Machine) -> None:
    """The key is for root alone, and a TLS server that reads the files is trusted for its name and for no other."""
    assert machine.found["modes"] == {"imap.cert.pem": 0o644, "imap.key.pem": 0o400, "ca.pem": 0o644}
    files = machine.mail.out / "servers/imap"
    asking = ["openssl", "s_client", "-CAfile", str(files / "ca.pem")]
    chain, key = str(files / "imap.cert.pem"), str(files / "imap.key.pem")
    with subprocess.Popen(
        ["openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-cert_chain", chain, "-key", key],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout
            accepting = until(lambda: re.search(r"ACCEPT 127.0.0.1:(\d+)", server.stdout.readline()), 10)  # type: ignore[union-attr]  # seen above
            assert accepting
            for name, outcome in (("imap.example.org", "0 (ok)"), ("www.example.org", "62 (hostname mismatch)")):
                shown = subprocess.run(
                    [*asking, "-connect", f"127.0.0.1:{accepting[1]}", "-verify_hostname", name],
                    input="Q\n",
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=30,
                ).stdout
                assert f"Verify return code: {outcome}" in shown
        finally:
            server.kill()
