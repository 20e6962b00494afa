"""Nothing that the engine writes or prints shows a private key, a passphrase or an archive, whatever is done.

Not covered, because no provider can help it: the engine's own `-v=9` and `--logtostderr`, which print every message
that passes between engine and plugin, secrets in clear. Keep both out of pipelines.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.engine import Result, Stack, prepare_home, write_project
from tests.support.judges import openssl_pkcs12_info
from tests.support.stacks import custom_resources, mail_stack, revealed
from tests.support.test_authority import Credential, ThrowAwayAuthority

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_openssl]

GIVEN_PASSPHRASE = "\"quoted\" & 'umlaut' \\ 4711"
SECTIONS: dict[str, Any] = {
    "authority": {"common_name": "Example Mail CA", "protect": False},
    "lifetime": {"leaf": {"validity": "30d", "renew_fraction": "1/2", "overlap": "5d"}},
    "servers": {"lists": {"third_party": {}, "dns_names": ["lists.example.org"]}},
    "clients": {
        "alice": {"email": "alice@example.org", "pkcs12": "modern"},
        "bob": {"email": "bob@example.org", "pkcs12": {"profile": "legacy", "passphrase_secret": "bob-passphrase"}},
    },
    "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": ["alice", "bob"]}},
}
# The event log is one of the engine's debugging switches, plans are an experiment: both write files that people keep.
VARIABLES = {"PULUMI_DEBUG_COMMANDS": "true", "PULUMI_EXPERIMENTAL": "true"}
CARELESS_PROGRAM = """
import json
from pathlib import Path
from pki.archive.records import Pkcs12Args, Pkcs12State
from pki.certificate.records import CertificateArgs
from pki.certificate.resource import Certificate
from pki.fields import DeclaredCertificate
from pki.hand_out.records import HandOutArgs, HandOutFile, HandOutState
from pki.model import Profile
from postfix.host import HostDeclaration
from postfix.host_resource.records import ChainArgs, HostArgs, HostState
from postfix.target import Directory
from postseal_core.program import RecordResource
from postseal_core.records import decode

class Pkcs12(RecordResource):
    resource_type, state = "Pkcs12", Pkcs12State

class HandOut(RecordResource):
    resource_type, state = "HandOut", HandOutState

class PostfixHost(RecordResource):
    resource_type, state = "PostfixHost", HostState

given = json.loads(Path("given.json").read_text())
leaf = {"certificate_pem": given["certificate"], "private_key_pem": given["key"], "ca_pem": given["certificate"]}
chain = ChainArgs(description="plain", private_key_pem=given["key"], chain_pem=given["certificate"])
declared = DeclaredCertificate(common_name="Plain CA")
Certificate("root", CertificateArgs(name="root", profile=Profile.ROOT, declared=declared, private_key_pem=given["key"]))
Pkcs12("p12", Pkcs12Args(name="p12", generation=1, passphrase=given["passphrase"], **leaf), None)
HandOut("files", HandOutArgs(
    directory="out/files",
    descriptions={"alice": "key"},
    folders={"alice": {"alice.key.pem": HandOutFile(text=given["key"], is_secret=True)}},
), None)
PostfixHost("host", HostArgs(
    declaration=decode(HostDeclaration, given["declaration"]),
    target=Directory("out/host").record,
    chains={"mx1": chain},
), None)
"""


@dataclass(slots=True)
class Traces:
    """What commands printed, where the engine keeps files, and the secrets that must be in neither."""

    stack: Stack
    home: Path
    printed: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, result: Result) -> None:
        """Keep what a command printed, successful or not."""
        self.printed[name] = str(result)

    def learn(self) -> None:
        """Take every secret out of the present state."""
        for resource in custom_resources(self.stack.export(show_secrets=True)):
            name = resource["urn"].rpartition("::")[2]
            for part in ("inputs", "outputs"):
                self.secrets |= dict(_secrets_of(resource.get(part, {}), f"{name} {len(self.secrets)}"))

    def files(self) -> dict[str, bytes]:
        """Return everything below the backend, the home and the scratch files, installed plugins left out."""
        roots = (self.stack.scratch, self.home / "logs", self.home / "workspaces")
        paths = [path for root in roots for path in root.rglob("*") if path.is_file()]
        return {str(path): path.read_bytes() for path in paths if path.name != "passphrase"}


def _secrets_of(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and "plaintext" in value:
        # A key that was handed in is empty in the state: that hides nothing, and stands everywhere.
        yield from [(name, secret)] if (secret := str(revealed(value))) else []
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield from _secrets_of(member, f"{name} {key}")


def disguises(secret: str) -> set[bytes]:
    """Return how a secret may stand in a file: as it is, in JSON once or twice, in base64; a key by its number too."""
    once = json.dumps(secret)[1:-1]
    texts = {secret, once, json.dumps(once)[1:-1]}
    if "PRIVATE KEY" in secret:
        texts |= {"".join(secret.split("-----")[2].split()), _private_number(secret).hex()}
    parts = [secret.encode(), *([_private_number(secret)] if "PRIVATE KEY" in secret else [])]
    return {text.encode() for text in texts}.union(*map(_base64_cores, parts))


def _private_number(key_pem: str) -> bytes:
    """Return the secret part of an elliptic curve key; the rest of its PEM text is public."""
    load = serialization.load_ssh_private_key if "OPENSSH" in key_pem else serialization.load_pem_private_key
    key = load(key_pem.encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.private_numbers().private_value.to_bytes(32)


def _base64_cores(secret: bytes) -> set[bytes]:
    """Return what base64 makes of the secret at each of the three ways it can lie in its surroundings."""
    whole = (secret[shift : len(secret) - (len(secret) - shift) % 3] for shift in range(3))
    return {base64.b64encode(each) for each in whole}


def leaks(traces: Traces) -> list[str]:
    """Say which secret stands where."""
    places = traces.files() | {name: text.encode() for name, text in traces.printed.items()}
    return [
        f"{secret} in {place}"
        for secret, value in traces.secrets.items()
        for form in disguises(value)
        for place, content in places.items()
        if form in content
    ]


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    """Take a stack through its life and keep all that came of it."""
    directory = tmp_path_factory.mktemp("secrecy")
    home = prepare_home(directory / "home")
    mail = mail_stack(directory, home, variables=VARIABLES)
    kept = Traces(mail.stack, home)
    mail.stack.set_config("bob-passphrase", GIVEN_PASSPHRASE, is_secret=True)
    kept.secrets["given passphrase"] = GIVEN_PASSPHRASE
    now = datetime.now(UTC)
    mail.declare(SECTIONS, clock=now - timedelta(days=16))
    scratch = mail.stack.scratch
    kept.note("first preview", mail.stack.preview(diff=True))
    kept.note("first up", mail.stack.up("--event-log", str(scratch / "up.log"), "--show-reads").expect_success())
    kept.learn()
    mail.declare(SECTIONS, clock=now)
    kept.note("diff", mail.stack.preview("--save-plan", str(scratch / "plan.json"), diff=True).expect_success())
    kept.note("json", mail.stack.preview(as_json=True).expect_success())
    renewal = mail.stack.run("up", "--yes", "--skip-preview", "--json", "--event-log", str(scratch / "renewal.log"))
    kept.note("renewal", renewal.expect_success())
    kept.learn()
    kept.note("refresh", mail.stack.refresh("--diff").expect_success())
    kept.note("export", mail.stack.run("stack", "export").expect_success())
    kept.note("outputs", mail.stack.run("stack", "output", "--json").expect_success())
    kept.note("destroy", mail.stack.destroy("--diff", "--event-log", str(scratch / "destroy.log")).expect_success())
    kept.note("history", mail.stack.run("stack", "history", "--json", "--full-dates").expect_success())
    return kept


def test_nothing_that_is_written_or_printed_shows_a_secret(traces: Traces) -> None:
    """State, backups, history, export, previews, event logs, plan and logs hold no key, passphrase or archive."""
    assert leaks(traces) == []


def test_the_search_would_find_what_it_looks_for(traces: Traces) -> None:
    """There are secrets of each kind, all the files are there, and a leak in any disguise is found."""
    values = list(traces.secrets.values())
    assert sum("PRIVATE KEY" in value for value in values) >= 7
    assert GIVEN_PASSPHRASE in values
    names = {Path(path).name for path in traces.files()}
    assert {"up.log", "renewal.log", "destroy.log", "plan.json", "test.json"} <= names
    assert any("/backups/" in path for path in traces.files())
    assert any("/logs/" in path for path in traces.files())
    key = next(value for value in values if "PRIVATE KEY" in value)
    for hidden in (key, json.dumps(json.dumps(key)), base64.b64encode(f"x{key}".encode()).decode()):
        assert leaks(Traces(traces.stack, traces.home, {"here": hidden}, {"key": key}))


def host_declaration() -> dict[str, Any]:
    """Return a host as its component would declare it."""
    settings = {"relay": {"client_certificates": False}, "ca_file": False}
    server = {"settings": settings, "certificates": ["mx1"]}
    return {"name": "host", "myhostname": "mx1.example.org", "server": server}


@pytest.fixture(scope="module")
def careless(tmp_path_factory: pytest.TempPathFactory) -> Traces:
    """Run a program that passes a key and a passphrase in clear to every resource that takes one."""
    directory = tmp_path_factory.mktemp("careless")
    home = prepare_home(directory / "home")
    given: Credential = ThrowAwayAuthority().issue_server("mx1.example.org")
    secrets = {"key": given.private_key_pem, "passphrase": GIVEN_PASSPHRASE}
    declared = secrets | {"certificate": given.certificate_pem, "declaration": host_declaration()}
    project = write_project(directory / "project", CARELESS_PROGRAM)
    (project / "given.json").write_text(json.dumps(declared))
    stack = Stack(project, directory / "backend", home, variables=VARIABLES).init()
    kept = Traces(stack, home, secrets=secrets)
    plan = str(stack.scratch / "plan.json")
    kept.note("preview", stack.preview("--save-plan", plan, diff=True).expect_success())
    kept.note("json", stack.preview(as_json=True).expect_success())
    kept.note("up", stack.up("--event-log", str(stack.scratch / "up.log")).expect_success())
    kept.learn()
    kept.note("export", stack.run("stack", "export").expect_success())
    return kept


def test_a_program_that_forgets_to_mark_secrets_leaks_none(careless: Traces) -> None:
    """What comes in plain is wrapped by the plugin or replaced by its digest before anything is stored or shown."""
    assert leaks(careless) == []
    archive = next(value for name, value in careless.secrets.items() if "archive_p12_base64" in name)
    assert openssl_pkcs12_info(base64.b64decode(archive), GIVEN_PASSPHRASE).is_accepted
