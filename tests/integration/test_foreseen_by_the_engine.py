"""A Postfix that exists, with a list, a reference and a table of its own, seen by the engine's preview and by `up`."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.postfix_instance import Boot, PostfixInstance
from tests.support.stacks import MailStack, mail_stack

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postfix, pytest.mark.takes_long]

# Lists that end in a refusal; a trust that refers to what is declared; rows of the host's own.
MAIN_CF = """\
compatibility_level = 3.6
myhostname = mx1.example.org
mydestination = localhost
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_tls_CAfile = /etc/ssl/certs/ca-certificates.crt
smtp_tls_CAfile = $smtpd_tls_CAfile
"""
ROWS = "AA:BB:CC old-partner\nDD:EE:FF old-printer\n"


@pytest.fixture(scope="module")
def stack(engine_home: Path, tmp_path_factory: pytest.TempPathFactory) -> MailStack:
    """Return a stack that nothing was deployed with."""
    return mail_stack(tmp_path_factory.mktemp("office"), engine_home)


def declare(stack: MailStack, instance: PostfixInstance, **host: Any) -> None:
    """Declare a relay with one client on that Postfix."""
    mx1: dict[str, Any] = {
        "myhostname": "mx1.example.org",
        "relay_clients": ["alice"],
        "target": {"local": str(instance.config_directory), "ownership": "merge"},
    }
    stack.declare(
        {
            "authority": {"common_name": "Example Mail CA", "protect": False},
            "clients": {"alice": {"email": "alice@example.org"}},
            "hosts": {"mx1": mx1 | host},
        }
    )


def contents(instance: PostfixInstance) -> dict[str, bytes]:
    """Return every file of the configuration."""
    return {str(path): path.read_bytes() for path in instance.config_directory.rglob("*") if path.is_file()}


def flat(text: object) -> str:
    """Return what the engine says without its line breaks and indents."""
    return " ".join(str(text).split())


def test_a_host_that_exists_is_seen_before_it_is_changed(
    stack: MailStack, postfix_instance: Boot, tmp_path: Path
) -> None:
    """Everything is told by the preview and refused by `up` at once; mended and accepted it is deployed."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text(MAIN_CF)
    instance = postfix_instance(rendered)
    port = next(iter(instance.ports.values()))
    before = contents(instance)
    wanted = (
        f"127.0.0.1:{port}/inet: listed clients would be refused, by smtpd_recipient_restrictions: ",
        "`relay: { restrict_recipients: true }` of the host writes a list that lets listed clients through",
        "smtp_tls_CAfile: /etc/ssl/certs/ca-certificates.crt -> ",
        "accept: { value_follows: [smtp_tls_CAfile] }",
    )
    declare(stack, instance)
    shown = flat(stack.stack.preview().expect_success())
    assert [
        words for words in (*wanted, "up will refuse this", "smtpd_tls_ask_ccert: no -> yes") if words not in shown
    ] == []
    refused = stack.stack.up()
    assert not refused.is_success
    assert [words for words in (*wanted, "nothing was changed") if words not in flat(refused)] == []
    assert "Traceback" not in str(refused)
    assert contents(instance) == before

    declare(stack, instance, relay={"restrict_recipients": True}, accept={"value_follows": ["smtp_tls_CAfile"]})
    shown = flat(stack.stack.preview(diff=True).expect_success())
    assert "up will refuse" not in shown
    assert 'accepted : { value_follows: "smtp_tls_CAfile" }' in shown
    assert "Postfix was reloaded" in flat(stack.stack.up().expect_success())
    assert stack.stack.preview(expect_no_changes=True).is_success


def test_rows_of_others_and_a_linked_main_cf_stop_the_preview(
    stack: MailStack, postfix_instance: Boot, tmp_path: Path
) -> None:
    """Rows until they are taken over, and then each that goes is named; a link by its name."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text(MAIN_CF.split("smtpd_recipient", maxsplit=1)[0])
    instance = postfix_instance(rendered)
    table = instance.config_directory / "relay_clientcerts"
    table.write_text(ROWS)
    declare(stack, instance)
    assert "relay_clientcerts" in flat(stack.stack.preview())
    assert not stack.stack.preview().is_success
    target = {"local": str(instance.config_directory), "take_over": ["relay_clientcerts"]}
    declare(stack, instance, target=target)
    shown = flat(stack.stack.preview().expect_success())
    assert f"{table}: 2 rows go: AA:BB:CC old-partner; DD:EE:FF old-printer" in shown
    assert "Postfix will be reloaded" in shown

    main_cf, elsewhere = instance.config_directory / "main.cf", tmp_path / "checkout.cf"
    main_cf.rename(elsewhere)
    main_cf.symlink_to(elsewhere)
    linked = stack.stack.preview()
    assert not linked.is_success
    assert f"is a symbolic link to {elsewhere}" in flat(linked)
