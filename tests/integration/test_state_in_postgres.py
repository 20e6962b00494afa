"""docs/state-for-teams.md with a real PostgreSQL: its commands, a lock, runs that are killed, a backup."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine import REPOSITORY, Result, Stack, copy_project, kill_session, run_limited
from tests.support.loopback import until
from tests.support.postgres import Postgres, postgres_server
from tests.support.stacks import MailStack, custom_resources, table_rows

pytestmark = [pytest.mark.needs_engine, pytest.mark.needs_postgres]

PAGE = (REPOSITORY / "docs/state-for-teams.md").read_text(encoding="utf-8")
PASSWORD = "of the role"  # of a database that lives as long as this test
LOCKED = "the stack is currently locked by 1 lock(s)"
SECONDS = 60.0
WAITING = """
import pathlib, time
while pathlib.Path("hold").exists():
    pathlib.Path("held").touch()
    time.sleep(0.02)
"""
_numbers = count(1)


def sections(*clients: str) -> dict[str, Any]:
    """Return a stack file with these clients on one host."""
    return {
        "authority": {"common_name": "Example Mail CA", "path_length": 0},
        "clients": {name: {"email": f"{name}@example.org"} for name in clients},
        "hosts": {"mx1": {"myhostname": "mx1.example.org", "relay_clients": list(clients)}},
    }


def blocks(heading: str, language: str = "sh") -> list[str]:
    """Return the blocks below a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


@dataclass(frozen=True, slots=True)
class Team:
    """One database as the page sets it up, and a stack `prod` in it with a clone of the repository."""

    server: Postgres
    database: str
    mail: MailStack

    def another_clone(self, directory: Path) -> MailStack:
        """Return a second place from which the same stack is brought up."""
        project = copy_project(REPOSITORY, directory / "project")
        name = f"stacks/Pulumi.{self.mail.stack.name}.yaml"
        (project / name).write_text((self.mail.project / name).read_text())
        return MailStack(replace(self.mail.stack, project=project))

    def shell(self, script: str) -> Result:
        """Run commands of the page as a job does."""
        environment = self.mail.stack.environment() | {"PATH": self._path()}
        return run_limited(["/bin/sh", "-euc", script], self.mail.project, environment, 180)

    def address(self, **changed: str) -> str:
        """Return the address of the page for this database, with other parts."""
        (line,) = (each for each in blocks("What a job gets")[0].splitlines() if "PULUMI_BACKEND_URL" in each)
        parts = {
            "db.example.org": "localhost",
            ":5432": f":{self.server.port}",
            "postseal_prod": self.database,
            "/etc/ssl/db-root.pem": str(self.server.root_certificate),
        }
        address = line.split('"')[1]
        for old, new in (parts | changed).items():
            address = address.replace(old, new)
        return address

    def query(self, sql: str) -> str:
        """Ask the owner of the server about this database."""
        return self.server.query(sql, self.database)

    def _path(self) -> str:
        return f"{self.server.environment['PATH'].split(':')[0]}:{self.mail.stack.environment()['PATH']}"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Return a server, one for all tests of this file."""
    with postgres_server() as running:
        yield running


@pytest.fixture
def team(server: Postgres, engine_home: Path, tmp_path: Path) -> Team:
    """Set up a database as the page says, and a stack in it."""
    database = f"team_{next(_numbers)}"
    (sql,) = blocks("Set up the database", "sql")
    # At a terminal psql asks; here it reads the answers, without one, from where it reads everything.
    question = "\\password postseal_prod\n"
    assert question in sql
    server.query(sql.replace(question, f"{question}{PASSWORD}\n{PASSWORD}\n").replace("postseal_prod", database))
    passwords = tmp_path / "prod.pgpass"
    passwords.touch(mode=0o600)
    passwords.write_text(f"localhost:{server.port}:{database}:{database}:{PASSWORD}\n")
    project = copy_project(REPOSITORY, tmp_path / "project")
    (project / "stacks/Pulumi.prod.yaml").unlink()
    made = Team(server, database, MailStack(Stack(project, tmp_path / "backend", engine_home, name="prod")))
    variables = {"PULUMI_BACKEND_URL": made.address(), "PGPASSFILE": str(passwords)}
    mail = MailStack(replace(made.mail.stack, variables=variables).init())
    mail.declare(sections("alice", "bob"))
    return replace(made, mail=mail)


def serials(stack: Stack) -> dict[str, str]:
    """Return the serial number of each certificate in the state; that the document is whole is seen by reading it."""
    certified = [each for each in custom_resources(stack.export()) if "serial_number" in each["outputs"]]
    return {each["urn"].rpartition("::")[2]: each["outputs"]["serial_number"] for each in certified}


def keys(team: Team) -> set[str]:
    """Return what is in the table."""
    return set(team.query(f"SELECT key FROM {team.database}.pulumi_state").splitlines())  # noqa: S608  # our own name


def expect_whole(mail: MailStack, *clients: str) -> None:
    """Assert that the host admits whom the state has, once each, and that nothing is left to do."""
    mail.stack.preview(expect_no_changes=True).expect_success()
    listed = [row.split()[0] for row in table_rows(mail.out / "mx1/postfix").values()]
    assert sorted(listed) == sorted(clients)
    assert "pending_operations" not in mail.stack.export()["deployment"]


@contextmanager
def started(mail: MailStack) -> Iterator[subprocess.Popen[str]]:
    """Start an `up` and go on; what still runs at the end is killed."""
    command = [str(REPOSITORY / "toolchain/pulumi"), "up", "--non-interactive", "--color=never", "--yes"]
    with subprocess.Popen(
        [*command, "--skip-preview", "--stack", mail.stack.name],
        cwd=mail.project,
        env=mail.stack.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as engine:
        try:
            yield engine
        finally:
            kill_session(engine.pid)


@contextmanager
def stopped_at(team: Team, condition: str) -> Iterator[Callable[[int], bool]]:
    """Let the database keep writers waiting whose row meets a condition, and say whether so many wait.

    A writer that waits in the database is at a place that no test of time could find again.
    """
    schema = team.database
    team.query(f"""
        CREATE FUNCTION {schema}.hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {condition} THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER hold BEFORE INSERT ON {schema}.pulumi_state FOR EACH ROW EXECUTE FUNCTION {schema}.hold();
    """)
    holding = "SELECT pg_advisory_lock(1); SELECT 'held'; SELECT pg_sleep(600);"
    waiting = f"""SELECT count(*) FROM pg_stat_activity
        WHERE datname = '{team.database}' AND usename = '{team.database}' AND wait_event = 'advisory'"""  # noqa: S608
    with subprocess.Popen(
        ["psql", "-X", "-A", "-t", "-q", "-d", team.database],
        env=team.server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write(holding.replace("; ", ";\n"))
        holder.stdin.flush()
        while holder.stdout.readline().strip() != "held":
            assert holder.poll() is None
        try:
            yield lambda number: bool(until(lambda: team.query(waiting) == str(number), SECONDS))
        finally:
            holder.kill()
            owner = f"usename <> '{team.database}' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
            team.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {owner}")  # noqa: S608
    team.query(f"DROP TRIGGER hold ON {schema}.pulumi_state; DROP FUNCTION {schema}.hold()")


def recorded(part: str, path: str, name: str) -> str:
    """Return the condition: the row is the state, and something of that name is in a part of it."""
    state = f"convert_from(decode(NEW.data->>'data', 'base64'), 'UTF8')::jsonb #> '{{checkpoint,latest,{part}}}'"
    return f"""NEW.key LIKE '%/.pulumi/stacks/%.json' AND EXISTS (
        SELECT FROM jsonb_path_query({state}, '$[*]') AS each WHERE each #>> '{path}' LIKE '%{name}')"""


@contextmanager
def waiting(mail: MailStack) -> Iterator[Callable[..., bool]]:
    """Let the program of a clone wait as long as there is a file `hold`, and say whether it does: its run has the lock.

    The file goes with the end of this.
    """
    program, hold, held = (mail.project / name for name in ("__main__.py", "hold", "held"))
    program.write_text(WAITING + program.read_text())
    hold.touch()
    try:
        yield lambda seconds=SECONDS: bool(until(held.exists, seconds))
    finally:
        hold.unlink(missing_ok=True)
        program.write_text(program.read_text().removeprefix(WAITING))


def test_up_report_and_who_work_from_two_clones(team: Team, tmp_path: Path) -> None:
    """The second clone issues nothing, it only writes its own files; no key and no password is in clear anywhere."""
    mail = team.mail
    mail.stack.up().expect_success()
    first = serials(mail.stack)
    other = team.another_clone(tmp_path / "other")
    assert not other.stack.preview(expect_no_changes=True).is_success
    other.stack.up().expect_success()
    assert serials(other.stack) == first
    for each in (mail, other):
        expect_whole(each, "alice", "bob")
    told = team.shell("postseal report --stack prod; postseal who --stack prod").expect_success().stdout
    assert "by certificate 2 clients, 2 rows" in told
    assert re.search(r"✓ ok +alice", told)
    # The control: the name of a client is found where the key is not.
    content = "convert_from(decode(data->>'data', 'base64'), 'UTF8')"
    text = team.query(f"SELECT string_agg({content}, ' ') FROM {team.database}.pulumi_state")  # noqa: S608
    assert "alice@example.org" in text
    assert "PRIVATE KEY" not in text
    assert not (mail.stack.home / "credentials.json").exists()


def test_a_second_run_is_refused_while_the_first_holds_the_lock(team: Team, tmp_path: Path) -> None:
    """In the words of the page, and nothing changes; reading goes on; after the first one it is let through."""
    mail, other = team.mail, team.another_clone(tmp_path / "other")
    mail.stack.up().expect_success()
    mail.declare(sections("alice", "bob", "dave"))
    other.declare(sections("alice", "bob", "carol"))
    before = serials(mail.stack)
    with waiting(mail) as held, started(mail) as engine:
        assert held()
        there = keys(team)
        for refused in (other.stack.up(), other.stack.refresh()):
            assert not refused.is_success
            assert LOCKED in str(refused)
            assert re.search(r"created by .*@.* \(pid \d+\) at ", str(refused))
            assert PASSWORD not in str(refused)
        assert (serials(other.stack), keys(team), other.out.exists()) == (before, there, False)
        assert "ClientCertificate carol create" in " ".join(str(other.stack.preview().expect_success()).split())
        assert "by certificate 2 clients" in str(team.shell("postseal report --stack prod; postseal who --stack prod"))
        (mail.project / "hold").unlink()
        engine.communicate(timeout=SECONDS * 2)
        assert engine.returncode == 0
    other.declare(sections("alice", "bob", "carol", "dave"))
    other.stack.up().expect_success()
    expect_whole(other, "alice", "bob", "carol", "dave")
    assert before.items() <= serials(other.stack).items()


def test_who_cancels_a_run_that_lives_loses_what_one_of_both_has_issued(team: Team, tmp_path: Path) -> None:
    """What the lock is for: each writes its own state over that of the other. `report` does not know who was lost."""
    mail, other = team.mail, team.another_clone(tmp_path / "other")
    mail.stack.up().expect_success()
    mail.declare(sections("alice", "bob", "dave"))
    other.declare(sections("alice", "bob", "carol"))
    with waiting(mail) as held, started(mail) as engine:
        assert held()
        team.shell(blocks("After a killed run")[0]).expect_success()
        other.stack.up().expect_success()
        assert "carol" in serials(mail.stack)
        (mail.project / "hold").unlink()
        engine.communicate(timeout=SECONDS * 2)
    assert "carol" not in serials(mail.stack)


@pytest.mark.parametrize(
    ("condition", "is_pending"),
    [
        (recorded("pending_operations", "{resource,urn}", "::carol"), False),
        (recorded("resources", "{urn}", "::carol"), True),
        (recorded("resources", "{urn}", "PostfixHost::mx1"), False),
    ],
    ids=["before a certificate is made", "before a certificate is recorded", "before the host is recorded"],
)
def test_after_a_killed_run_the_way_of_the_page_leads_out(team: Team, condition: str, *, is_pending: bool) -> None:
    """What the state had stays as it was; what it did not get is made once more, and the engine says so."""
    mail = team.mail
    mail.stack.up().expect_success()
    mail.declare(sections("alice", "bob", "carol"))
    with stopped_at(team, condition) as are_waiting, started(mail) as engine:
        assert are_waiting(1)
        kill_session(engine.pid)
        # The database notices that the writer has gone as soon as it is woken.
        whose = f"usename = '{team.database}'"
        team.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {whose}")  # noqa: S608
    before = serials(mail.stack)
    assert LOCKED in str(mail.stack.up())
    cancel, again = blocks("After a killed run")
    team.shell(cancel).expect_success()
    assert before.keys() >= {"alice", "bob", "mx1"}
    came = mail.stack.up().expect_success()
    assert ("pending operations" in str(came)) == is_pending
    team.shell(again).expect_success()
    assert before.items() <= serials(mail.stack).items()
    expect_whole(mail, "alice", "bob", "carol")


def test_of_two_that_begin_together_never_both_go_on(team: Team, tmp_path: Path) -> None:
    """Let off in the same moment; who has the lock waits for the other to end. Then both finish in turn."""
    mail, other = team.mail, team.another_clone(tmp_path / "other")
    mail.stack.up().expect_success()
    before = serials(mail.stack)
    both = (mail, other)
    for each, name in zip(both, ("carol", "dave"), strict=True):
        each.declare(sections("alice", "bob", name))
    with waiting(mail) as is_one, waiting(other) as is_other, started(mail) as one, started(other) as two:
        assert until(lambda: any(each.poll() for each in (one, two)) or (is_one(0) and is_other(0)), SECONDS)
        assert not (is_one(0) and is_other(0))
        for each in both:
            (each.project / "hold").unlink()
        said = {engine: engine.communicate(timeout=SECONDS * 2)[0] for engine in (one, two)}
    lost = [text for engine, text in said.items() if engine.returncode]
    assert lost
    assert all(LOCKED in text for text in lost)
    for each in both:
        each.declare(sections("alice", "bob", "carol", "dave"))
        each.stack.up().expect_success()
        expect_whole(each, "alice", "bob", "carol", "dave")
    assert before.items() <= serials(mail.stack).items()


def test_a_backup_is_restored_and_the_preview_says_what_it_does_not_know(team: Team) -> None:
    """Who came since is created once more, who was there is as before; a lock of the backup is taken out."""
    mail = team.mail
    mail.stack.up().expect_success()
    backup, restore = blocks("Back up and restore")
    mail.declare(sections("alice", "bob", "carol"))
    before = serials(mail.stack)
    with waiting(mail) as held, started(mail) as engine:
        assert held()
        team.shell(backup).expect_success()
        (mail.project / "hold").unlink()
        engine.communicate(timeout=SECONDS * 2)
    assert (mail.project / "state.dump").stat().st_mode & 0o777 == 0o600
    carol, last = serials(mail.stack)["carol"], mail.stack.outputs()["ledger_mx1"]
    assert mail.stack.preview(expect_no_changes=True).is_success

    # The lock that the backup holds is there again until the page takes it out.
    first, cancel, *_ = restore.splitlines()
    team.shell(first).expect_success()
    assert LOCKED in str(mail.stack.up())
    assert cancel.startswith("pulumi cancel")
    told = team.shell(restore).expect_success().stdout
    assert re.search(r"\+ postseal:index:ClientCertificate: \(create\)\n.*\n? *\[urn=[^\]]*::carol\]", told)
    assert serials(mail.stack) == before
    # Whoever kept the last digest sees that this is not the last state.
    assert mail.stack.outputs()["ledger_mx1"] != last
    team.shell(blocks("After a killed run")[1]).expect_success()
    expect_whole(mail, "alice", "bob", "carol")
    assert serials(mail.stack)["carol"] != carol
    assert before.items() <= serials(mail.stack).items()


def test_in_a_database_of_another_name_no_stack_is_found(team: Team) -> None:
    """As the page warns: rows are named after the database; under the old name the same rows are a stack."""
    team.mail.stack.up().expect_success()
    other = f"{team.database}_other"
    team.server.query(f"CREATE DATABASE {other} TEMPLATE {team.database} OWNER {team.database}")
    passwords = Path(team.mail.stack.variables["PGPASSFILE"])
    passwords.write_text(passwords.read_text() + f"localhost:*:{other}:{team.database}:{PASSWORD}\n")
    address = team.address().replace(f"/{team.database}?", f"/{other}?")
    there = replace(team.mail.stack, variables={**team.mail.stack.variables, "PULUMI_BACKEND_URL": address})
    assert "no stack named 'prod' found" in str(there.preview())
    assert team.mail.stack.preview(expect_no_changes=True).is_success


def test_what_the_engine_says_is_on_the_page(team: Team, tmp_path: Path) -> None:
    """Wrong password, no TLS, a foreign authority, another name, another role; the way of the page works."""
    stack = team.mail.stack
    team.server.query("CREATE ROLE stranger LOGIN PASSWORD 'of a stranger'")
    files = {
        "wrong": "*:*:*:*:wrong\n",
        "open": Path(stack.variables["PGPASSFILE"]).read_text(),
        "stranger": "*:*:*:*:of a stranger\n",
        "root.pem": Postgres(tmp_path, 0, "").authority.certificate_pem,
    }
    for name, text in files.items():
        (tmp_path / name).touch(mode=0o600)
        (tmp_path / name).write_text(text)
    (tmp_path / "open").chmod(0o644)
    url, passwords = team.address(), stack.variables["PGPASSFILE"]
    refused = [
        (url, tmp_path / "wrong", "password authentication failed for user"),
        (url, tmp_path / "not there", "password authentication failed for user"),
        (url, tmp_path / "open", "password authentication failed for user"),
        (team.address(**{"verify-full": "disable"}), passwords, "no encryption"),
        (url.replace(str(team.server.root_certificate), f"{tmp_path}/root.pem"), passwords, "unknown authority"),
        (url.replace("localhost", "127.0.0.1"), passwords, "doesn't contain any IP SANs"),
        (url.replace("//" + team.database, "//stranger"), tmp_path / "stranger", "permission denied for database"),
    ]
    for address, file, words in refused:
        variables = {"PULUMI_BACKEND_URL": address, "PGPASSFILE": str(file)}
        result = replace(stack, variables=variables).preview()
        assert not result.is_success
        assert "error: unable to open bucket" in str(result)
        assert words in str(result), result
        assert words in PAGE, words
    stack.preview().expect_success()


def test_a_role_that_does_not_own_its_schema_cannot_even_read(team: Team) -> None:
    """The engine asks for its table at every command; with the cure of the page it works again."""
    stack, schema = team.mail.stack, team.database
    team.query(f"ALTER SCHEMA {schema} OWNER TO owner; GRANT USAGE ON SCHEMA {schema} TO {schema}")
    words = "failed to create table pulumi_state: pq: permission denied for schema"
    assert words in str(stack.run("stack", "export"))
    assert words in PAGE
    (cure,) = re.findall(r"`(ALTER SCHEMA [^`]*)`", PAGE)
    team.query(cure.replace("postseal_prod", schema))
    stack.export()
