"""The installed Postfix judges which flags of TLS log levels it knows."""

import subprocess
from pathlib import Path

import pytest

from postfix.parameters import PostfixVersion, known_parameters
from postfix.settings import LogLevel, loglevel_text
from tests.support.postfix_instance import Boot, boot
from tests.support.postfix_overlay import sending_to
from tests.support.smtp_probe import probe
from tests.support.test_authority import ThrowAwayAuthority

pytestmark = pytest.mark.needs_postfix

LEVEL = known_parameters()["smtpd_tls_loglevel"]
MISSPELT = "peercerts"


def installed() -> PostfixVersion:
    """Return the release of the installed Postfix."""
    said = subprocess.run(["postconf", "-d", "-h", "mail_version"], capture_output=True, text=True, check=True).stdout
    return PostfixVersion.from_text(".".join(said.split(".")[:2]))


def test_the_table_knows_which_flags_postfix_knows(tmp_path: Path) -> None:
    """One server for each flag, and one for a misspelt one: Postfix warns of what it does not know, and of no other."""
    directory = tmp_path / "rendered"
    directory.mkdir()
    ThrowAwayAuthority().issue_server("mx1.example.org").write_chain(directory / "mx1.pem")
    (directory / "main.cf").write_text(
        "compatibility_level = 3.6\nmyhostname = mx1.example.org\nsmtpd_tls_security_level = may\n"
        "smtpd_tls_chain_files = $config_directory/mx1.pem\n"
    )
    flags = {f"flag{number}": flag for number, flag in enumerate((*LEVEL.allowed, MISSPELT))}
    servers = {name: {"smtpd_tls_loglevel": f"1,{flag}"} for name, flag in flags.items()}
    with boot(directory, servers=servers) as instance:
        for name in flags:
            probe(instance.ports[name])
        told = [line for line in instance.log_since(0).splitlines() if "warning: unknown" in line]
    unknown = {flag for flag in flags.values() if any(f'"{flag}"' in line for line in told)}
    later = {flag for flag, since in LEVEL.later.items() if since > installed()}
    assert unknown == {MISSPELT, *later}


def test_the_sending_side_names_the_server_where_it_is_told_to(tmp_path: Path, postfix_instance: Boot) -> None:
    """With a list of flags, and not with the level alone."""
    receiving, sending = tmp_path / "receiving", tmp_path / "sending"
    for directory in (receiving, sending):
        directory.mkdir()
        (directory / "main.cf").write_text("compatibility_level = 3.6\nmyhostname = mx1.example.org\n")
    server = ThrowAwayAuthority().issue_server("mx1.example.org")
    server.write_chain(receiving / "mx1.pem")
    tls = {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": "$config_directory/mx1.pem"}
    receiver = postfix_instance(receiving, overrides=tls)
    levels: dict[str, LogLevel] = {"named": ("1", "peercert"), "level": 1}
    sender = postfix_instance(
        sending,
        servers={},
        transports={
            f"t-{name}": {
                "smtp_tls_security_level": "may",
                "smtp_tls_fingerprint_digest": "sha256",
                "smtp_tls_loglevel": loglevel_text(level),
            }
            for name, level in levels.items()
        },
        overrides=sending_to({f"{name}.test": f"t-{name}:[127.0.0.1]:{receiver.port}" for name in levels}),
    )
    logged = {}
    for name in levels:
        mark = sender.mark()
        sender.send(f"someone@{name}.test")
        logged[name] = sender.log_since(mark)
    assert all("TLS connection established to" in each for each in logged.values())
    assert server.fingerprint_sha256 in logged["named"]
    assert server.fingerprint_sha256 not in logged["level"]
