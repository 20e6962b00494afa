"""A private PostgreSQL on a loopback port, with TLS; it touches nothing of the machine's own."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.loopback import free_ports, until
from tests.support.test_authority import ThrowAwayAuthority

__all__ = ["Postgres", "has_postgres", "postgres_server"]

HOST = "localhost"
OWNER = "owner"

_SECONDS = 60.0
_START_SECONDS = 30.0
# PostgreSQL refuses to run as root; this user has nothing, and is there on every Debian.
_NOBODY: Mapping[str, object] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if not os.geteuid() else {}
_CONFIG = """\
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
ssl = on
ssl_cert_file = '{place}/server.crt'
ssl_key_file = '{place}/server.key'
fsync = off
"""
# The owner may come without TLS, who has only rights of a pipeline may not.
_ACCESS = f"""\
host all {OWNER} 127.0.0.1/32 scram-sha-256
hostssl all all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """One running server; `authority` signed its certificate, which is for `localhost`."""

    place: Path
    port: int
    password: str = field(repr=False)
    authority: ThrowAwayAuthority = field(default_factory=ThrowAwayAuthority)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that psql, pg_dump and pg_restore take, for the owner of the server."""
        own = {"PGHOST": HOST, "PGPORT": str(self.port), "PGUSER": OWNER, "PGPASSWORD": self.password}
        return {**os.environ, **own, "PGDATABASE": "postgres", "PATH": f"{_programs()}:{os.environ['PATH']}"}

    @property
    def root_certificate(self) -> Path:
        """The certificate of the authority, as a client has it."""
        return self.place / "root.crt"

    def query(self, sql: str, database: str = "postgres") -> str:
        """Return what psql answers to the owner, columns separated by `|`; its faults raise."""
        command = ["psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-d", database]
        done = subprocess.run(
            command,
            env=self.environment,
            input=sql,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def has_postgres() -> bool:
    """Whether a PostgreSQL is installed."""
    return _programs() is not None


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Give a running server."""
    # Not below the directories of pytest, which other users must not enter.
    place = Path(tempfile.mkdtemp(prefix="postseal-postgres-"))
    place.chmod(0o755)
    server = Postgres(place, next(free_ports()), secrets.token_hex(16))
    try:
        _make_cluster(server)
        with _running(server):
            yield server
    finally:
        shutil.rmtree(place)


def _make_cluster(server: Postgres) -> None:
    place, credential = server.place, server.authority.issue_server(HOST)
    texts = {
        "password": server.password,
        "server.key": credential.private_key_pem,
        "server.crt": credential.certificate_pem,
        "root.crt": server.authority.certificate_pem,
        "log": "",
    }
    for name, text in texts.items():
        (place / name).write_text(text)
        (place / name).chmod(0o644 if name == "root.crt" else 0o600)
    (place / "data").mkdir(mode=0o700)
    if _NOBODY:
        for name in ("password", "server.key", "server.crt", "log", "data"):
            shutil.chown(place / name, "nobody", "nogroup")
    _run(
        *("initdb", "--pgdata", f"{place}/data", "--username", OWNER, "--pwfile", f"{place}/password"),
        *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
    )
    # Taken for what it says, whoever owns it.
    with (place / "data/postgresql.conf").open("a") as config:
        config.write(_CONFIG.format(port=server.port, place=place))
    (place / "data/pg_hba.conf").write_text(_ACCESS)


@contextmanager
def _running(server: Postgres) -> Iterator[None]:
    with (server.place / "log").open("a") as log:
        process = subprocess.Popen(
            [f"{_programs()}/postgres", "-D", f"{server.place}/data"],
            cwd=server.place,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            **_NOBODY,  # type: ignore[call-overload]  # arguments of Popen, none as an ordinary user
        )
    try:
        if not until(lambda: process.poll() is not None or _answers(server), _START_SECONDS) or process.returncode:
            raise TimeoutError((server.place / "log").read_text())
        yield
    finally:
        # Without waiting for those who are connected.
        process.send_signal(signal.SIGINT)
        process.wait(_START_SECONDS)


def _answers(server: Postgres) -> bool:
    command = ["pg_isready", "-q"]
    return not subprocess.run(command, env=server.environment, check=False, timeout=_SECONDS).returncode


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [f"{_programs()}/{program}", *arguments],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        **_NOBODY,  # type: ignore[call-overload]  # arguments of Popen, none as an ordinary user
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _programs() -> Path | None:
    """Return where the newest PostgreSQL of this machine has its programs; Debian has a directory for each version."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    other = shutil.which("initdb")
    return found[-1].parent if found else Path(other).parent if other else None
