"""Between the engine and a host: edits after the preview, an engine and a plugin that are killed, weak values."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import Result, kill_session
from tests.support.loopback import until
from tests.support.postfix_instance import PostfixInstance, boot
from tests.support.smtp_probe import probe
from tests.support.stacks import MailStack, certificates, mail_stack

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.takes_long]

MAIN_CF = "# The administrator's.\ncompatibility_level = 3.6\nmyhostname = mx1.example.org\nbiff = no\n"


@dataclass(frozen=True)
class Office:
    """A stack, and the Postfix that it deploys to."""

    mail: MailStack
    instance: PostfixInstance

    def declare(self, **host: Any) -> None:
        """Declare a relay with one client on that Postfix."""
        target = {"local": str(self.instance.config_directory)}
        mx1: dict[str, Any] = {
            "myhostname": "mx1.example.org",
            "relay_clients": ["alice"],
            "target": target,
            "relay": {"networks": []},
        }
        self.mail.declare(
            {
                "authority": {"common_name": "Example Mail CA", "protect": False},
                "clients": {"alice": {"email": "alice@example.org"}},
                "hosts": {"mx1": mx1 | host},
            }
        )

    def up(self) -> str:
        """Deploy what is declared."""
        return flat(self.mail.stack.up().expect_success())

    def is_served(self) -> bool:
        """Whether the declared certificate is served, and a stranger is refused."""
        served = certificates(self.mail.stack.export())["mx1"]["fingerprint_sha256"]
        seen = probe(self.instance.port)
        return seen.served_fingerprint_sha256 == served and not seen.may_relay

    @property
    def main_cf(self) -> Path:
        """The file that is shared with the administrator."""
        return self.instance.config_directory / "main.cf"


def flat(result: Result) -> str:
    """Return what the engine says without its line breaks and indents."""
    return " ".join(str(result).split())


@pytest.fixture(scope="module")
def office(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Return a relay that was deployed to."""
    directory = tmp_path_factory.mktemp("office")
    (directory / "rendered").mkdir()
    (directory / "rendered/main.cf").write_text(MAIN_CF)
    with boot(directory / "rendered") as instance:
        office = Office(mail_stack(directory / "stack", engine_home), instance)
        office.declare()
        office.up()
        yield office


def test_what_is_edited_between_preview_and_up_is_kept_or_said(office: Office) -> None:
    """A parameter of the administrator's stays, of ours a value and a row are as declared again, and both are named."""
    office.declare(settings={"smtpd_tls_loglevel": "2"})
    shown = flat(office.mail.stack.preview().expect_success())
    assert "was changed" not in shown
    table = office.instance.config_directory / "relay_clientcerts"
    row, text = table.read_text(), office.main_cf.read_text()
    assert "smtpd_tls_ask_ccert = yes" in text
    edited = text.replace("smtpd_tls_ask_ccert = yes", "smtpd_tls_ask_ccert = no").replace("biff = no", "biff = yes")
    office.main_cf.write_text(f"{edited}message_size_limit = 31457280\n")
    table.write_text(f"AA:BB somebody\n{row}")
    said = office.up()
    after = office.main_cf.read_text()
    for line in ("biff = yes", "message_size_limit = 31457280", "smtpd_tls_ask_ccert = yes", "smtpd_tls_loglevel = 2"):
        assert line in after.splitlines()
    assert table.read_text() == row
    for name in ("relay_clientcerts", "smtpd_tls_ask_ccert"):
        assert name in said
    assert office.is_served()
    assert office.mail.stack.preview(expect_no_changes=True).is_success


WEAK = {
    "15: a certificate of any authority that the system trusts": {
        "tls_append_default_CA": "yes",
        "smtpd_tls_req_ccert": "yes",
    },
    "19: a whole class of networks": {"mynetworks_style": "class"},
}


@pytest.mark.parametrize("name", WEAK)
def test_a_value_that_makes_it_weaker_is_not_passed_over_in_silence(office: Office, name: str) -> None:
    """Refused by preview and `up` alike, with the name and a way to say that it is meant; no file is touched."""
    office.declare(settings=WEAK[name])
    before = office.main_cf.read_bytes()
    for result in (office.mail.stack.preview(), office.mail.stack.up()):
        assert not result.is_success
        assert f"settings.{next(iter(WEAK[name]))}: this decides who may relay or submit" in flat(result)
        assert "under unchecked, where a reviewer sees it" in flat(result)
    assert office.main_cf.read_bytes() == before
    office.declare()
    office.up()
    assert office.is_served()


def test_a_killed_engine_and_plugin_leave_a_host_that_the_next_up_brings_to_its_declaration(office: Office) -> None:
    """Killed with all that they started while the host program is at work, which goes on by itself."""
    office.declare(settings={"smtpd_tls_loglevel": "3"})
    journal = office.instance.config_directory / ".postseal/journal"
    stack = office.mail.stack
    command = [
        str(Path(__file__).parents[2] / "toolchain/pulumi"),
        "up",
        "--non-interactive",
        "--yes",
        "--skip-preview",
    ]
    with subprocess.Popen(
        [*command, "--stack", stack.name],
        cwd=stack.project,
        env=stack.environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
    ) as engine:
        assert until(journal.exists, 60)
        kill_session(engine.pid)
    assert until(lambda: not journal.exists(), 30)
    assert until(lambda: "smtpd_tls_loglevel = 3" in office.main_cf.read_text(), 5)
    assert office.is_served()
    stack.run("cancel", "--yes").expect_success()
    office.up()
    assert office.is_served()
    assert stack.preview(expect_no_changes=True).is_success
    work = office.instance.config_directory / ".postseal"
    assert {path.name for path in work.iterdir()} <= {"lock", "results", "kept"}
