"""Which Debian packages the tests still need."""

import pytest

from toolchain.debian import PROGRAMS, install, missing_packages


def test_a_bare_machine_misses_everything() -> None:
    """All packages are named, in the order of the table."""
    assert missing_packages(lambda _: False) == list(PROGRAMS)


@pytest.mark.parametrize("proof", ["chromium", "google-chrome"])
def test_a_program_of_another_name_is_as_good(proof: str) -> None:
    """A Chrome that the user has spares the package chromium."""
    missing = missing_packages(lambda name: name == proof)
    assert missing == [
        "postfix",
        "postfix-lmdb",
        "openssl",
        "gnutls-bin",
        "libnss3-tools",
        "busybox",
        "easy-rsa",
        "openssh-client",
        "openssh-server",
        "sudo",
        "swaks",
    ]


def test_a_complete_machine_misses_nothing() -> None:
    """Nothing is installed where everything is there."""
    assert missing_packages(lambda _: True) == []


@pytest.mark.parametrize(
    ("lacking", "installed"),
    [
        (None, ["openssl swaks chromium"]),
        ("chromium", ["openssl swaks chromium", "openssl", "swaks", "chromium"]),
    ],
)
def test_a_package_the_distribution_lacks_does_not_keep_the_others_out(
    lacking: str | None, installed: list[str]
) -> None:
    """apt-get installs all or nothing, so after a failure each package is tried for itself."""
    commands: list[list[str]] = []

    def run(command: list[str], _: str) -> bool:
        commands.append(command)
        return lacking not in command

    install(["openssl", "swaks", "chromium"], run)
    assert commands[0] == ["apt-get", "update", "-qq"]
    assert [" ".join(command[5:]) for command in commands[1:]] == installed


def test_the_mail_server_is_installed_without_a_configuration() -> None:
    """The package's question is answered before it is asked: a machine must not start to accept mail."""
    asked: list[tuple[str, str]] = []

    def run(command: list[str], answer: str) -> bool:
        asked.append((command[0], answer))
        return True

    install(["postfix"], run)
    assert [name for name, _ in asked] == ["apt-get", "debconf-set-selections", "apt-get"]
    assert "No configuration" in asked[1][1]
