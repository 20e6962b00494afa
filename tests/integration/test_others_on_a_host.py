"""Somebody else on a host: another stack of the real engine, and an administrator who edits what was deployed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.engine import Result, Stack, write_project
from tests.support.postfix_instance import boot

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.takes_long]

PROGRAM = """
import pulumi

import pki
import postfix

config = pulumi.Config()
mortal = pulumi.ResourceOptions(protect=False)
ca = pki.CertificateAuthority("mail-ca", common_name="Example Mail CA", path_length=0, opts=mortal)
server = pki.ServerCertificate("mx1", authority=ca, dns_names=["mx1.example.org"])
alice = pki.ClientCertificate("alice", authority=ca, email="alice@example.org")
postfix.MailServer(
    "mx1",
    myhostname="mx1.example.org",
    certificate=server,
    relay_clients=[alice],
    settings=postfix.ServerSettings(relay=postfix.RelayPolicy(networks=())),
    target=postfix.Local(config.require("directory"), drift=postfix.Drift(config.get("drift") or "repair")),
)
"""
MAIN_CF = (
    "# by hand\ncompatibility_level = 3.6\nmyhostname = mx1.example.org\nsmtpd_tls_security_level =\n\tnone\n# end\n"
)
MALLORY = ":".join(["CC"] * 32)


@dataclass(frozen=True, slots=True)
class Place:
    """A Postfix, and two stacks of one project that both want it."""

    directory: Path
    dev: Stack
    prod: Stack
    main_cf: bytes

    def files(self) -> dict[str, bytes]:
        """Return every file of the configuration."""
        files = (path for path in self.directory.rglob("*") if path.is_file() and ".postseal" not in path.parts)
        return {str(path.relative_to(self.directory)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def booted(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a Postfix that nothing was deployed to."""
    directory = tmp_path_factory.mktemp("others")
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    dev = Stack(write_project(directory / "project", PROGRAM), directory / "backend", engine_home, name="dev").init()
    prod = replace(dev, name="prod").init()
    with boot(directory / "rendered") as instance:
        place = Place(instance.config_directory, dev, prod, (instance.config_directory / "main.cf").read_bytes())
        for stack in (dev, prod):
            stack.set_config("directory", str(place.directory))
        yield place


@pytest.fixture
def place(booted: Place) -> Place:
    """Have the first of the stacks deployed, also where the test before has taken it away."""
    if not (booted.directory / "relay_clientcerts").exists():
        booted.dev.up().expect_success()
    return booted


def words(result: Result) -> str:
    """Return what the engine said, without its line breaks."""
    return " ".join(str(result).split())


def test_two_stacks_never_take_turns_on_a_host(place: Place) -> None:
    """The second one is refused in its preview and in `up`, its end touches nothing, and the first has no change."""
    before = place.files()
    for refused in (place.prod.preview(), place.prod.up()):
        assert not refused.is_success
        assert "stack dev deploys to this directory, as .postseal.json there says" in words(refused)
    place.prod.destroy()
    assert place.files() == before
    assert place.dev.preview(expect_no_changes=True).is_success


def test_what_an_administrator_changed_is_told_read_back_and_repaired(place: Place) -> None:
    """Row, client, fingerprint and parameter, in the preview and after a refresh; `up` makes it as it was."""
    before = place.files()
    _edit(place)
    preview = words(place.dev.preview())
    assert f"{place.directory}/relay_clientcerts was changed or removed by somebody else: row CC:CC" in preview
    assert "smtpd_tls_security_level is 'none', and was left as 'may'" in preview
    place.dev.refresh().expect_success()
    shown = words(place.dev.preview(diff=True))
    assert 'smtpd_tls_security_level: "none" => "may"' in shown
    assert "mallory" in shown
    place.dev.up().expect_success()
    after = place.files()
    assert {path for path in before if before[path] != after.get(path)} <= {".postseal.json"}
    assert place.dev.preview(expect_no_changes=True).is_success


def test_a_stack_that_says_so_stops_at_what_an_administrator_changed(place: Place) -> None:
    """Nothing is touched until somebody decides; `repair` is the control."""
    place.dev.set_config("drift", "stop")
    place.dev.up().expect_success()
    _edit(place)
    edited = place.files()
    assert "`pulumi up` stops here" in words(place.dev.preview().expect_success())
    stopped = place.dev.up()
    assert not stopped.is_success
    assert "nothing was changed, as the target says `drift: stop`" in words(stopped)
    assert place.files() == edited
    place.dev.set_config("drift", "repair")
    place.dev.up().expect_success()
    assert MALLORY not in place.files()["relay_clientcerts"].decode()


def test_in_the_end_the_administrator_has_the_host_back(place: Place) -> None:
    """Byte for byte; the run says so, and nothing of ours is left."""
    gone = place.dev.destroy().expect_success()
    assert f"{place.directory}/main.cf is given back as it was before" in words(gone)
    assert place.files().keys() == {"main.cf", "master.cf"}
    assert place.files()["main.cf"] == place.main_cf
    assert not (place.directory / ".postseal").exists()


def _edit(place: Place) -> None:
    """Let a client in, turn TLS off, and let everybody relay: the worst edit must not be what keeps `up` away."""
    table, main_cf = place.directory / "relay_clientcerts", place.directory / "main.cf"
    table.write_text(f"{table.read_text()}{MALLORY} mallory\n")
    text = main_cf.read_text().replace("smtpd_tls_security_level = may", "smtpd_tls_security_level = none")
    main_cf.write_text(re.sub(r"^mynetworks =.*$", "mynetworks = 0.0.0.0/0", text, flags=re.MULTILINE))
