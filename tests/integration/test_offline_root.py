"""docs/offline-root.md, run word for word: a root that is never here, signed by openssl and by GnuTLS."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from postseal_core.instants import format_instant
from tests.support.engine import REPOSITORY, Stack, copy_project
from tests.support.judges import Purpose, openssl_verify_path, openssl_verify_strict
from tests.support.offline_signer import pem
from tests.support.path_judges import VERIFIERS, Chain

pytestmark = [
    pytest.mark.needs_engine,
    pytest.mark.needs_openssl,
    pytest.mark.needs_gnutls,
    pytest.mark.needs_go,
]

PAGE = (REPOSITORY / "docs/offline-root.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(sh|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TEMPLATE = "ca\npath_len = 0\ncert_signing_key\ncrl_signing_key\nhonor_crq_ext = 2.5.29.30\nexpiration_days = 1825\n"


@dataclass(slots=True)
class Site:
    """A project with a stack `prod`, and the directory of an offline machine; `said`: what each `up` said."""

    stack: Stack
    root: Path
    sections: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        """Where the hand-outs are."""
        return self.stack.project / "out/prod"

    def declare(self, sections: dict[str, Any]) -> None:
        """Write sections to the stack file, and leave the others."""
        file = self.stack.project / "stacks/Pulumi.prod.yaml"
        there = yaml.safe_load(file.read_text()) if file.exists() else {}
        self.sections |= sections
        kept = {name: each for name, each in (there.get("config") or {}).items() if "secure" in each}
        file.write_text(yaml.safe_dump(there | {"config": kept | self.sections}))

    def up(self) -> None:
        """Run the stack."""
        self.said.append(str(self.stack.up().expect_success()))

    def shell(self, text: str) -> None:
        """Run a block of the page, as somebody does who copies it."""
        environment = {"ROOT": str(self.root), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        command = ["bash", "-e", "-c", text]
        subprocess.run(command, cwd=self.stack.project, env=environment, check=True, capture_output=True, timeout=60)

    def leaf(self, name: str = "alice") -> list[x509.Certificate]:
        """Return a client's chain, as it is handed out."""
        return x509.load_pem_x509_certificates((self.out / f"clients/{name}/{name}.cert.pem").read_bytes())

    def faults(self, chain: list[x509.Certificate]) -> list[str]:
        """Return which verifiers refuse a chain below the root that hosts and clients are given."""
        (root,) = x509.load_pem_x509_certificates((self.out / "ca/ca.pem").read_bytes())
        judged = {name: VERIFIERS[name](Chain(chain[0], chain[1:], root)) for name in ("openssl", "gnutls", "go")}
        now = datetime.now(UTC)
        judged["purpose"] = openssl_verify_strict(
            chain[0], roots=[root], purpose=Purpose.CLIENT, at=now, intermediates=chain[1:]
        )
        return [f"{name}: {verdict}" for name, verdict in judged.items() if not verdict.is_accepted]


@pytest.fixture
def site(engine_home: Path, tmp_path: Path) -> Site:
    """Return an empty stack, beside an offline machine."""
    project = copy_project(REPOSITORY, tmp_path / "project")
    (project / "stacks/Pulumi.prod.yaml").unlink(missing_ok=True)
    root = tmp_path / "offline"
    root.mkdir()
    made = Site(Stack(project, tmp_path / "backend", engine_home, "prod").init(), root)
    made.declare({})
    return made


def blocks() -> Iterator[tuple[str, str]]:
    """Yield every command and every part of a stack file on the page."""
    for each in _BLOCK.finditer(PAGE):
        yield each[1], each[2]


def unprotected(text: str) -> dict[str, Any]:
    """Return the sections of a block; a stack of a test is thrown away."""
    sections: dict[str, Any] = yaml.safe_load(text)
    for each in sections.get("mail-pki:authorities", {}).values():
        each["protect"] = False
    return sections


def test_the_page_is_true(site: Site) -> None:
    """Each step ends well; old and new chains are verified by OpenSSL, GnuTLS and Go; no key of the root comes here."""
    leaves: list[list[x509.Certificate]] = []
    for kind, text in blocks():
        if kind == "sh":
            site.shell(text)
        else:
            site.declare(unprotected(text))
            site.up()
            if (site.out / "clients").exists():
                leaves.append(site.leaf())
    first, *_, last = site.said
    assert "waits for its certificate" in first
    assert "waits for its certificate" not in last
    assert [fault for chain in leaves for fault in site.faults(chain)] == []
    assert leaves[0][0].issuer.rfc4514_string() == "CN=Example Issuing CA"
    assert leaves[-1][0].issuer.rfc4514_string() == "CN=Example Issuing CA 2"
    rows = (site.out / "mx1/postfix/relay_clientcerts").read_text()
    assert "alice generation=1" in rows
    assert "alice generation=2" in rows
    assert site.stack.preview(expect_no_changes=True).is_success
    key = "".join((site.root / "root.key").read_text().split("\n")[1:-2])
    assert key not in str(site.stack.export(show_secrets=True))


def test_a_renewal_is_asked_for_in_time_and_keeps_what_was_issued(site: Site) -> None:
    """Years later the preview asks; the answer for the same request goes into the chains, and no leaf is replaced."""
    steps = [*blocks()]
    for kind, text in steps[:5]:
        site.shell(text) if kind == "sh" else site.declare(unprotected(text))
        if kind == "yaml":
            site.up()
    before = site.leaf()
    late = format_instant(datetime.now(UTC) + timedelta(days=300))
    renewed = {"renew_before": "1600d"}
    site.declare(
        {"mail-pki:authorities": {"issuing": site.sections["mail-pki:authorities"]["issuing"] | {"lifetime": renewed}}}
    )
    site.declare({"postseal:clock": late})
    assert "have issuing.csr.pem signed again" in str(site.stack.preview().expect_success())
    del site.sections["postseal:clock"]
    site.declare({})
    site.shell(steps[5][1])
    site.up()
    after = site.leaf()
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert [*site.faults(before), *site.faults(after), *site.faults([before[0], after[1]])] == []


def test_gnutls_is_an_offline_root_as_well_and_a_wrong_answer_changes_nothing(site: Site) -> None:
    """The certtool of GnuTLS signs with a template; without the path length it is refused, and the stack waits on."""
    steps = [*blocks()]
    site.shell(steps[0][1])
    site.declare(unprotected(steps[1][1]))
    site.up()
    site.shell("mkdir -p signed; cp $ROOT/root.pem signed/")
    sign = (
        "certtool --generate-certificate --load-request out/prod/requests/issuing.csr.pem --load-ca-certificate "
        "$ROOT/root.pem --load-ca-privkey $ROOT/root.key --template $ROOT/it.cfg --outfile signed/issuing.pem"
    )
    (site.root / "it.cfg").write_text(_TEMPLATE.replace("path_len = 0\n", ""))
    site.shell(sign)
    site.declare(unprotected(steps[4][1]))
    refused = site.stack.up()
    assert not refused.is_success
    assert "has no path length, and declared is path_length 0: it is wider" in str(refused)
    assert not (site.out / "clients").exists()
    (site.root / "it.cfg").write_text(_TEMPLATE)
    site.shell(sign)
    site.up()
    assert site.faults(site.leaf()) == []


CASE = """
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout "$ROOT/root.key" -out root.pem -subj '/CN=Example Root'
printf 'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n' > ext
openssl req -new -newkey rsa:2048 -nodes -keyout int.key -out int.csr -subj '/CN=Example Issuing CA'
openssl x509 -req -in int.csr -CA root.pem -CAkey "$ROOT/root.key" -CAcreateserial -days 1825 -extfile ext -out int.pem
"""


def test_an_intermediate_that_exists_goes_on_below_a_root_that_is_not_here(site: Site) -> None:
    """Its key is a secret of the stack; the root is given for trust; its renewal is a request like any other."""
    project = site.stack.project
    site.shell(CASE)
    adopted = {"private_key_secret": "int-key", "certificate_pem": (project / "int.pem").read_text()}
    authority = {"common_name": "Example Issuing CA", "path_length": 0, "adopt": adopted, "protect": False}
    site.declare({"mail-pki:authority": authority, "mail-pki:clients": {"alice": {"email": "alice@example.org"}}})
    site.stack.set_config("int-key", (project / "int.key").read_text(), is_secret=True)
    assert "or its root under third_party.roots_file if that is not here" in str(site.stack.preview())
    site.declare({"mail-pki:authority": authority | {"third_party": {"roots_file": "root.pem"}}})
    site.up()
    before = site.leaf()
    assert before[1].public_bytes(Encoding.PEM).decode() == adopted["certificate_pem"]
    site.shell(
        "openssl x509 -req -in out/prod/requests/authority.csr.pem -CA root.pem -CAkey $ROOT/root.key -CAcreateserial "
        "-days 2000 -copy_extensions copy -extfile <(echo authorityKeyIdentifier=keyid) -out new.pem"
    )
    renewed = {"signed_chain_file": "new.pem", "roots_file": "root.pem"}
    site.declare({"mail-pki:authority": authority | {"third_party": renewed}})
    site.up()
    after = site.leaf()
    assert after[0] == before[0]
    assert after[1] != before[1]
    (root,) = x509.load_pem_x509_certificates((site.out / "ca/ca.pem").read_bytes())
    # Whoever made the root left out its key usage, which only OpenSSL's strict rules mind.
    for chain in (before, after, [before[0], after[1]]):
        judged = {name: VERIFIERS[name](Chain(chain[0], chain[1:], root)) for name in ("gnutls", "go")}
        judged["openssl"] = openssl_verify_path(
            pem(chain[0]), untrusted=pem(*chain[1:]), root=pem(root), at=datetime.now(UTC)
        )
        assert [f"{name}: {verdict}" for name, verdict in judged.items() if not verdict.is_accepted] == []
