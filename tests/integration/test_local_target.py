"""A Postfix that somebody else set up becomes a target of the real engine, and is theirs again in the end."""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from postseal_core.files.tree import MARK_FILE
from postseal_core.instants import format_instant
from tests.support.engine import Result, Stack, write_project
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import ProbeResult, probe
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix]

SERVER_NAME = "mx1.example.org"
OUR_KEYS = ("tls/mx1.pem",)
PROGRAM = f"""
import pulumi

import pki
import postfix

config = pulumi.Config()
mortal = pulumi.ResourceOptions(protect=False)
ca = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", path_length=0, opts=mortal)
server = pki.ServerCertificate("mx1", authority=ca, dns_names=["{SERVER_NAME}"])
clients = {{
    name: pki.ClientCertificate(name, authority=ca, email=f"{{name}}@example.org") for name in ("alice", "bob")
}}
host = postfix.MailServer(
    "mx1",
    myhostname="{SERVER_NAME}",
    certificate=server,
    relay_clients=[clients["alice"]],
    settings=postfix.ServerSettings(relay=postfix.RelayPolicy(networks=())),
    parameters=config.get_object("parameters") or {{}},
    unchecked=list(config.get_object("parameters") or {{}}),
    table_type=config.get("table_type") or "texthash",
    target=postfix.Local(config.require("config_directory")),
)
pulumi.export("ca_pem", ca.certificate_pem)
pulumi.export("served", server.fingerprint_sha256)
pulumi.export("evidence", host.evidence)
for name, client in clients.items():
    pulumi.export(name, {{"certificate_pem": client.certificate_pem, "private_key_pem": client.private_key_pem}})
"""
# Everything in it was written by somebody who likes it as it is; Postfix takes the last of the two levels.
MAIN_CF = """\
#   Set up by hand. Do not tidy up!

compatibility_level=3.6
myhostname   =  mx1.example.org
smtpd_banner=$myhostname  ESMTP\t(ours)
  # a remark inside a value
\t- go ahead
smtpd_tls_security_level = none

mydestination =
# the one below counts
smtpd_tls_security_level    =    none
message_size_limit =31457280
"""
MAIN_CF_AFTERWARDS = MAIN_CF.replace("smtpd_tls_security_level = none\n", "").replace(
    "smtpd_tls_security_level    =    none\n", "smtpd_tls_security_level = may\n"
)
BLOCK = re.compile(r"\n# --- Postseal: begin .*# --- Postseal: end of added parameters ---\n", re.DOTALL)
BROKEN = ("lacking", "refused")


@dataclass(frozen=True, slots=True)
class Trace:
    """What tells whether a file was touched."""

    inode: int
    mtime_ns: int
    mode: int
    owner: int
    content: bytes


@dataclass(slots=True)
class Moment:
    """The host after one run of the engine, and what it does for those who come; `log` is what the run made it say."""

    result: Result
    files: Mapping[str, Trace]
    log: str
    served: str
    sessions: Mapping[str, ProbeResult]
    evidence: Mapping[str, Any]

    @property
    def main_cf(self) -> str:
        """The text of main.cf."""
        return self.files["main.cf"].content.decode()

    @property
    def admitted(self) -> set[str]:
        """Those who may relay."""
        return {name for name, session in self.sessions.items() if session.may_relay}


@dataclass(slots=True)
class Story:
    """The host before, and after each run."""

    instance: PostfixInstance
    stack: Stack
    before: Mapping[str, Trace]
    people: dict[str, Credential | None]
    moments: dict[str, Moment] = field(default_factory=dict)
    ca_pem: str = ""

    def __getitem__(self, name: str) -> Moment:
        return self.moments[name]

    def run(self, name: str, command: str = "up", **config: str) -> None:
        """Set what is given, run the engine, and look at the host."""
        for key, value in config.items():
            self.stack.set_config(key.replace("__", ":"), value, is_path=key == "parameters.nobody_uses_this")
        mark = self.instance.mark()
        result = self.stack.run(command, "--yes", "--skip-preview")
        if command == "up" and name not in BROKEN:
            self._meet(name, result)
        self.moments[name] = self._look(result, mark)

    def _meet(self, name: str, result: Result) -> None:
        """Take from the outputs who comes from now on; whoever came before comes again."""
        result.expect_success()
        outputs = self.stack.outputs(show_secrets=True)
        self.ca_pem = outputs["ca_pem"]
        for person in ("alice", "bob"):
            pems = outputs[person]
            credential = Credential(pems["certificate_pem"], pems["private_key_pem"], self.ca_pem)
            if credential not in self.people.values():
                self.people[f"{person} since {name}"] = credential

    def _look(self, result: Result, mark: int) -> Moment:
        if result.is_success and "Postfix was reloaded" in str(result):
            self.instance.wait_for_log(r"reload -- version", since=mark)
        log = self.instance.log_since(mark)
        sessions = {
            name: probe(self.instance.port, client_certificate=each, server_name=SERVER_NAME, ca=self.ca_pem)
            for name, each in self.people.items()
        }
        outputs = self.stack.outputs()
        files = traces(self.instance.config_directory)
        return Moment(result, files, log, outputs.get("served", ""), sessions, outputs.get("evidence", {}))


def traces(directory: Path) -> dict[str, Trace]:
    """Return every file below a directory."""
    found = {}
    for path in directory.rglob("*"):
        # What the program on the host keeps for itself is no part of the configuration.
        if path.is_file() and ".postseal" not in path.parts:
            status = path.stat()
            mode = stat.S_IMODE(status.st_mode)
            trace = Trace(status.st_ino, status.st_mtime_ns, mode, status.st_uid, path.read_bytes())
            found[str(path.relative_to(directory))] = trace
    return found


def changed(before: Mapping[str, Trace], after: Mapping[str, Trace]) -> set[str]:
    """Return the files that are new, gone, or were touched in any way; the mark of ours goes with the others."""
    touched = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert MARK_FILE not in touched or touched > {MARK_FILE}
    return touched - {MARK_FILE}


@pytest.fixture(scope="module")
def story(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Deploy to a running Postfix, change what is declared, break it twice, and take everything away."""
    directory = tmp_path_factory.mktemp("local-target")
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    stack = Stack(write_project(directory / "project", PROGRAM), directory / "backend", engine_home).init()
    with boot(directory / "rendered") as instance:
        stranger = ThrowAwayAuthority("Example Mail CA").issue_client("alice@example.org")
        people: dict[str, Credential | None] = {"stranger": stranger, "nobody": None}
        story = Story(instance, stack, traces(instance.config_directory), people)
        yield _told(story)


def _told(story: Story) -> Story:
    today = datetime.now(UTC)
    # Two thirds of 365 days are over today, so that both certificates are valid now.
    issued = format_instant(today - timedelta(days=250))
    directory = str(story.instance.config_directory)
    story.run("first", config_directory=directory, postseal__clock=issued, postseal__rehearsal="true")
    story.run("again")
    story.run("renewed", postseal__clock=format_instant(today))
    story.run("indexed", table_type="hash")
    story.run("lacking", table_type="cdb")
    story.run("refused", **{"table_type": "hash", "parameters.nobody_uses_this": "x"})
    story.stack.run("config", "rm", "parameters").expect_success()
    story.run("mended")
    story.run("destroyed", "destroy")
    return story


def test_the_running_host_serves_what_is_declared(story: Story) -> None:
    """After the reload the live port serves the declared certificate, and the program's authority vouches for it."""
    first = story["first"]
    assert "reload -- version" in first.log
    assert {session.served_fingerprint_sha256 for session in first.sessions.values()} == {first.served}


def test_the_listed_client_relays_and_nobody_else(story: Story) -> None:
    """An unlisted client of the same authority, a stranger of the same name, and who has no certificate are refused."""
    first = story["first"]
    assert first.admitted == {"alice since first"}
    assert {name: session.rcpt.code for name, session in first.sessions.items() if session.rcpt} == {
        "alice since first": 250,
        "bob since first": 554,
        "stranger": 554,
        "nobody": 554,
    }


def test_keys_are_for_root_only(story: Story) -> None:
    """Files that hold a private key have mode 0400 and belong to root; their directory is closed."""
    files = story["first"].files
    holding = {path: (trace.mode, trace.owner) for path, trace in files.items() if b"PRIVATE KEY-----" in trace.content}
    assert holding == dict.fromkeys(OUR_KEYS, (0o400, 0))


def test_what_is_not_declared_stays_byte_for_byte(story: Story) -> None:
    """Of main.cf only the declared parameter changes, what is new stands in one block; other files are not touched."""
    first = story["first"]
    own_settings = story.before["main.cf"].content.decode().removeprefix(MAIN_CF)
    assert BLOCK.sub("", first.main_cf).startswith(MAIN_CF_AFTERWARDS)
    undeclared = [line for line in own_settings.splitlines() if not line.startswith("mynetworks")]
    assert [line for line in undeclared if line not in first.main_cf.splitlines()] == []
    assert changed(story.before, first.files) == {"main.cf", "relay_clientcerts", "tls/ca.pem", *OUR_KEYS}


def test_a_second_up_touches_nothing(story: Story) -> None:
    """Every file keeps its inode and its time, and Postfix is not even told."""
    again = story["again"]
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", again.result.stdout)
    assert changed(story["first"].files, again.files) == set()
    assert "reload" not in again.log


def test_what_was_proven_is_an_output_that_grows_old(story: Story) -> None:
    """Asked before the change as a stranger, and of the running service after it; a run without a change keeps it."""
    first = story["first"].evidence
    (server,) = first["servers"]
    assert server["fingerprint_sha256"] == story["first"].served
    assert server["manner"].startswith(("TLSv1.3", "X25519"))
    assert server["names"] == [SERVER_NAME]
    assert [(each["client"], each["reply"][:3]) for each in first["answers"]] == [
        ("listed", "250"),
        ("unlisted", "554"),
        ("none", "554"),
        ("plain", "554"),
    ]
    assert story["again"].evidence == first
    renewed = story["renewed"].evidence
    assert renewed["servers"][0]["fingerprint_sha256"] == story["renewed"].served
    assert renewed["proven_at"] > first["proven_at"]
    assert story["mended"].evidence == story["refused"].evidence == story["indexed"].evidence
    assert "PRIVATE KEY" not in str(renewed)


def test_a_renewal_changes_the_chain_and_the_rows(story: Story) -> None:
    """The new certificate is served, the old and the new one of the listed client are admitted, main.cf stays."""
    renewed = story["renewed"]
    assert changed(story["again"].files, renewed.files) == {"relay_clientcerts", *OUR_KEYS}
    assert renewed.served != story["first"].served
    assert {session.served_fingerprint_sha256 for session in renewed.sessions.values()} == {renewed.served}
    assert renewed.admitted == {"alice since first", "alice since renewed"}


def test_an_indexed_table_answers_like_the_plain_one(story: Story) -> None:
    """A change of the table's type makes the index, and the same clients are admitted."""
    indexed = story["indexed"]
    assert changed(story["renewed"].files, indexed.files) == {"main.cf", "relay_clientcerts", "relay_clientcerts.db"}
    assert "relay_clientcerts = hash:$config_directory/relay_clientcerts" in indexed.main_cf
    assert indexed.admitted == story["renewed"].admitted


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ("lacking", r"this host cannot make cdb tables .*declare texthash; nothing was changed"),
        ("refused", r"postconf finds fault with the new configuration .*nobody_uses_this.*; nothing was changed"),
    ],
)
def test_a_broken_deployment_says_why_and_leaves_the_host_as_it_was(story: Story, broken: str, sentence: str) -> None:
    """The engine fails with one clean sentence; no file was touched, and the live port decides as before."""
    moment = story[broken]
    said = " ".join(str(moment.result).split())
    assert not moment.result.is_success
    assert re.search(sentence, said), said
    assert "Traceback" not in said
    assert "PRIVATE KEY" not in said
    assert changed(story["indexed"].files, moment.files) == set()
    assert "reload" not in moment.log
    assert moment.sessions == story["indexed"].sessions


def test_after_a_broken_deployment_the_next_one_finds_everything_in_place(story: Story) -> None:
    """With the declaration mended there is nothing to do on the host."""
    assert story["mended"].result.is_success
    assert changed(story["indexed"].files, story["mended"].files) == set()


def test_destroy_takes_away_ours_and_leaves_the_rest(story: Story) -> None:
    """Our files, tables and parameters go, main.cf is byte for byte as it was, and Postfix goes on as before."""
    destroyed = story["destroyed"]
    assert destroyed.result.is_success, str(destroyed.result)
    assert changed(story.before, destroyed.files) == {"main.cf"}
    assert MARK_FILE in story["mended"].files
    assert MARK_FILE not in destroyed.files
    assert destroyed.files["main.cf"].content == story.before["main.cf"].content
    assert "/main.cf is given back as it was before" in str(destroyed.result)
    assert {session.is_starttls_offered for session in destroyed.sessions.values()} == {False}
    assert {session.mail_from.code for session in destroyed.sessions.values() if session.mail_from} == {250}
    assert destroyed.admitted == set()
