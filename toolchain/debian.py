"""Installs the programs that tests need with apt-get where that is possible; says what is missing where it is not."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain.console import say

__all__ = ["NO_MAIN_CLUSTER", "PROGRAMS", "ensure_programs", "install", "is_there", "missing_packages"]

PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "postfix": ("postfix",),
    "postfix-lmdb": ("/usr/lib/postfix/postfix-lmdb.so", "/usr/lib/postfix/dict_lmdb.so"),
    "openssl": ("openssl",),
    "gnutls-bin": ("certtool",),
    "libnss3-tools": ("certutil",),
    "busybox": ("busybox",),
    "easy-rsa": ("/usr/share/easy-rsa/easyrsa",),
    "openssh-client": ("ssh",),
    "openssh-server": ("/usr/sbin/sshd",),
    "sudo": ("sudo",),
    "swaks": ("swaks",),
    "postgresql": ("/usr/lib/postgresql/*/bin/initdb", "initdb"),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
}
"""Debian package -> what proves that it, or its like, is there, see `is_there`; any one is enough."""

POSTFIX_PRESEED = "postfix postfix/main_mailer_type select No configuration\n"
"""Answer to the package's question: tests boot a private Postfix of their own, the machine gets no mail server."""

NO_MAIN_CLUSTER = "/etc/postgresql-common/createcluster.d/no-main-cluster.conf"
"""What pg_createcluster(1) reads: tests make private clusters, the machine gets no database server."""


def missing_packages(is_there: Callable[[str], bool]) -> list[str]:
    """Return the Debian packages none of whose proofs `is_there`, in the order of the table."""
    return [package for package, proofs in PROGRAMS.items() if not any(map(is_there, proofs))]


def ensure_programs() -> None:
    """Install what tests need with apt-get when that is possible; never fails, says what stays missing.

    Needs root and apt-get. A package that cannot be had leaves the others in place.
    """
    missing = missing_packages(is_there)
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        say(f"missing for some tests: {', '.join(missing)} (apt-get and root could install them); going on without")
        return
    say(f"installing with apt-get: {', '.join(missing)}")
    install(missing, _run)
    missing = missing_packages(is_there)
    if missing:
        say(f"could not be installed: {', '.join(missing)}; tests that need them are skipped, and fail with CI=true")


def is_there(proof: str) -> bool:
    """Return whether a program is on PATH or where servers are, or a file is there whose path matches `/a/*/b`."""
    if proof.startswith("/"):
        return any(Path("/").glob(proof.removeprefix("/")))
    # Debian keeps servers in /usr/sbin, which is not on every user's PATH.
    return shutil.which(proof, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is not None


def install(packages: list[str], run: Callable[[list[str], str], bool]) -> None:
    """Install Debian packages: all at once, or each for itself when that fails (a distribution may lack one).

    `run` runs a command with a text as its standard input and returns whether it succeeded.
    """
    run(["apt-get", "update", "-qq"], "")
    if "postfix" in packages:
        run(["debconf-set-selections"], POSTFIX_PRESEED)
    if "postgresql" in packages:
        run(["install", "-D", "-m", "644", "/dev/stdin", NO_MAIN_CLUSTER], "create_main_cluster = false\n")
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    if run([*command, *packages], ""):
        return
    for package in packages:
        run([*command, package], "")


def _run(command: list[str], answer: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, input=answer, text=True, check=False).returncode == 0
