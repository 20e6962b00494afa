"""Which Debian packages the tests still need."""

from pathlib import Path

import pytest

from toolchain.debian import NO_MAIN_CLUSTER, PROGRAMS, install, is_there, missing_packages


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
        "postgresql",
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


def test_the_database_is_installed_without_a_cluster() -> None:
    """What its package reads is written before it comes: a machine must not start to serve a database."""
    ran: list[tuple[list[str], str]] = []

    def run(command: list[str], answer: str) -> bool:
        ran.append((command, answer))
        return True

    install(["postgresql"], run)
    assert [command[0] for command, _ in ran] == ["apt-get", "install", "apt-get"]
    assert ran[1] == (["install", "-D", "-m", "644", "/dev/stdin", NO_MAIN_CLUSTER], "create_main_cluster = false\n")


def test_a_pattern_is_met_by_a_file_of_any_version(tmp_path: Path) -> None:
    """As Debian has a directory for each version of PostgreSQL."""
    pattern = f"{tmp_path}/*/bin/initdb"
    assert not is_there(pattern)
    (tmp_path / "15/bin").mkdir(parents=True)
    assert not is_there(pattern)
    (tmp_path / "15/bin/initdb").touch()
    assert is_there(pattern)
