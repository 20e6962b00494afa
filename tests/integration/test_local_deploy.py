"""Deployments onto a real Postfix with its own configuration directory, and commands of the machine this runs on."""

import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Table
from postfix.deploy.sessions.local import LocalSession
from postfix.deploy.transaction import Reloading, deploy, remove
from postfix.master_cf import Service
from postseal_core.errors import ConfigError, DeployError
from postseal_core.files.tree import FileEntry
from tests.support.loopback import until
from tests.support.postfix_instance import Boot, PostfixInstance

MAIN_CF = """\
# The administrator's comment.
compatibility_level = 3.6
myhostname = mx1.example.org
  # a remark inside
mydestination =
    localhost,
    mx1.example.org
"""
ROW = b"AA:BB alice generation=1\n"
CLIENTS = "relay_clientcerts"


@pytest.fixture
def instance(postfix_instance: Boot, tmp_path: Path) -> PostfixInstance:
    """Return a running Postfix of somebody else."""
    rendered = tmp_path / "rendered"
    rendered.mkdir()
    (rendered / "main.cf").write_text(MAIN_CF)
    return postfix_instance(rendered)


def session_for(instance: PostfixInstance) -> LocalSession:
    """Return a session for the configuration directory of an instance."""
    return LocalSession(instance.config_directory)


def desired(kind: str, row: bytes = ROW, mode: int = 0o644) -> HostFiles:
    """Return a declaration with a key and a table of one type."""
    return HostFiles(
        files=(FileEntry("tls/mx1.pem", b"a key in our book\n", 0o400),),
        tables=(Table(FileEntry(CLIENTS, row, mode), kind),),
        parameters={
            "relay_clientcerts": f"{kind}:$config_directory/{CLIENTS}",
            "smtpd_tls_fingerprint_digest": "sha256",
        },
        services=(Service("relay2", "unix", "smtp", options=(("syslog_name", "postfix/relay2"),)),),
    )


def traces_of(instance: PostfixInstance) -> dict[str, tuple[int, int, bytes]]:
    """Return inode, modification time and content of every file of the configuration."""
    files = [path for path in instance.config_directory.rglob("*") if path.is_file() and ".postseal" not in path.parts]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def lookup(instance: PostfixInstance, kind: str, key: str) -> str:
    """Return what postmap finds in the deployed table."""
    table = f"{kind}:{instance.config_directory}/{CLIENTS}"
    return instance.command("postmap", "-c", str(instance.config_directory), "-q", key, table).stdout.strip()


@pytest.mark.needs_postfix
@pytest.mark.parametrize("kind", ["hash", "lmdb", "texthash"])
def test_a_deployment_reaches_a_running_postfix_and_a_second_one_touches_nothing(
    instance: PostfixInstance, kind: str
) -> None:
    """Tables answer, the reload is in the log, nothing undeclared changes, and nothing moves the second time."""
    original = (instance.config_directory / "main.cf").read_text()
    mark = instance.mark()
    first = deploy(session_for(instance), desired(kind))
    assert first.reloading is Reloading.DONE
    instance.wait_for_log(r"reload -- version", since=mark)
    assert lookup(instance, kind, "aa:bb") == "alice generation=1"
    assert instance.postconf("-xh", "relay_clientcerts").strip() == f"{kind}:{instance.config_directory}/{CLIENTS}"
    assert "syslog_name=postfix/relay2" in instance.postconf("-P", "relay2/unix/syslog_name").replace(" ", "")
    assert (instance.config_directory / "main.cf").read_text().startswith(original)
    assert stat.S_IMODE((instance.config_directory / "tls/mx1.pem").stat().st_mode) == 0o400
    before, mark = traces_of(instance), instance.mark()
    second = deploy(session_for(instance), desired(kind), first.plan.deployed)
    assert second.reloading is Reloading.NOT_NEEDED
    assert traces_of(instance) == before
    assert instance.log_since(mark) == ""


@pytest.mark.needs_postfix
def test_a_removal_gives_the_configuration_back_byte_for_byte(instance: PostfixInstance) -> None:
    """After deploying and removing, every file is as the administrator wrote it, and Postfix goes on."""
    before = {path: content for path, (_, _, content) in traces_of(instance).items()}
    deployed = deploy(session_for(instance), desired("hash")).plan.deployed
    outcome = remove(session_for(instance), deployed)
    assert outcome.reloading is Reloading.DONE
    assert outcome.plan.deployed == Deployed()
    assert {path: content for path, (_, _, content) in traces_of(instance).items()} == before
    assert not (instance.config_directory / "tls").exists()
    instance.await_greetings()


@pytest.mark.needs_postfix
def test_a_row_that_postmap_cannot_use_leaves_everything_as_before(instance: PostfixInstance) -> None:
    """Postmap exits with 0 on a bare fingerprint; the deployment fails all the same, and nothing has changed."""
    deployed = deploy(session_for(instance), desired("hash")).plan.deployed
    before = traces_of(instance)
    bad = desired("hash", b"CC:DD\n")
    bad = replace(bad, files=(FileEntry("tls/mx1.pem", b"another key\n", 0o400),), services=())
    with pytest.raises(DeployError, match=r"expected format: key whitespace value.*nothing was changed"):
        deploy(session_for(instance), bad, deployed)
    assert traces_of(instance) == before
    assert lookup(instance, "hash", "aa:bb") == "alice generation=1"


@pytest.mark.needs_postfix
def test_a_table_type_that_the_host_lacks_is_found_before_anything_changes(instance: PostfixInstance) -> None:
    """The real postmap decides, in a scratch directory."""
    before = traces_of(instance)
    with pytest.raises(DeployError, match=r"cannot make cdb tables .*unsupported dictionary type.*nothing was changed"):
        deploy(session_for(instance), desired("cdb"))
    assert traces_of(instance) == before


@pytest.mark.needs_postfix
def test_a_configuration_that_postconf_refuses_is_found_before_anything_changes(instance: PostfixInstance) -> None:
    """An unknown parameter is a fault; one the administrator wrote already is not."""
    main_cf = instance.config_directory / "main.cf"
    main_cf.write_text(main_cf.read_text() + "nobody_uses_this = x\n")
    before = traces_of(instance)
    wrong = HostFiles(parameters={"smtpd_tls_securty_level": "may"})
    # Whether the renderer or postconf finds it first, nothing may change.
    with pytest.raises((ConfigError, DeployError), match="smtpd_tls_securty_level"):
        deploy(session_for(instance), wrong)
    assert traces_of(instance) == before
    assert deploy(session_for(instance), desired("hash")).reloading is Reloading.DONE


@pytest.mark.needs_postfix
def test_a_postfix_that_does_not_run_is_not_started(instance: PostfixInstance) -> None:
    """Files are deployed, and the outcome says that nothing was reloaded."""
    instance.stop()
    assert deploy(session_for(instance), desired("hash")).reloading is Reloading.NOT_RUNNING
    assert instance.master_pid() is None


@pytest.mark.needs_postfix
def test_copies_for_the_chroot_lie_below_the_queue_directory(instance: PostfixInstance) -> None:
    """The place is what postconf says, and the copies go again with the deployment."""
    copy = FileEntry(f"{str(instance.config_directory)[1:]}/ca/root.pem", b"root", 0o644)
    deployed = deploy(session_for(instance), HostFiles(chroot=(copy,))).plan.deployed
    assert (instance.queue_directory / copy.path).read_bytes() == b"root"
    remove(session_for(instance), deployed)
    top = copy.path.split("/", maxsplit=1)[0]
    assert not (instance.queue_directory / top).exists()
    assert (instance.queue_directory / "pid").is_dir()


@pytest.mark.needs_postfix
def test_an_index_of_keys_is_as_private_as_its_source(instance: PostfixInstance) -> None:
    """With postmap -F the index holds the keys themselves, found relative to the configuration directory."""
    (instance.config_directory / "sni.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    table = Table(FileEntry("sni", b"mx1.example.org sni.pem\n", 0o400), "lmdb", has_file_names=True)
    deploy(session_for(instance), HostFiles(tables=(table,)))
    index = instance.config_directory / "sni.lmdb"
    assert not stat.S_IMODE(index.stat().st_mode) & 0o077
    # The machine's own Postfix need not be configured.
    own = ("-c", str(instance.config_directory))
    found = instance.command("postmap", *own, "-F", "-q", "mx1.example.org", f"lmdb:{instance.config_directory}/sni")
    assert "BEGIN CERTIFICATE" in found.stdout


def test_a_command_runs_in_the_root_with_a_clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the caller's environment changes what Postfix's commands read."""
    monkeypatch.setenv("MAIL_CONFIG", "/somewhere/else")
    result = LocalSession(tmp_path).run(["sh", "-c", "pwd; env; echo no >&2; exit 3"], timeout_seconds=30)
    assert result.stdout.splitlines()[0] == str(tmp_path)
    assert "LC_ALL=C" in result.stdout
    assert "MAIL_CONFIG" not in result.stdout
    assert (result.stderr, result.returncode) == ("no\n", 3)


def test_a_command_that_does_not_end_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    """The time limit holds, and nothing is left running."""
    command = ["sh", "-c", "echo $$ > pid; sleep 600 & sleep 600"]
    with pytest.raises(DeployError, match=r"did not end within 0\.5 s"):
        LocalSession(tmp_path).run(command, timeout_seconds=0.5)
    group = int((tmp_path / "pid").read_text())
    # What was killed is gone when the system has come round to it.
    assert until(lambda: group not in map(process_group, Path("/proc").glob("[0-9]*/stat")), 5)


def process_group(stat_file: Path) -> int | None:
    """Return the process group of a living process, None for one that is gone or a zombie."""
    with suppress(OSError):
        state, _, group = stat_file.read_text().rpartition(") ")[2].split()[:3]
        return None if state == "Z" else int(group)
    return None


def test_a_missing_command_is_named(tmp_path: Path) -> None:
    """The message says where it was looked for."""
    with pytest.raises(DeployError, match=r"no command nosuchcommand in .*/usr/sbin"):
        LocalSession(tmp_path).run(["nosuchcommand"], timeout_seconds=1)


def test_a_scratch_directory_is_private_and_goes(tmp_path: Path) -> None:
    """Staged files are nobody else's, and nothing of them stays."""
    with LocalSession(tmp_path).scratch() as scratch:
        scratch.write(FileEntry("main.cf", b"x", 0o600))
        place = Path(scratch.root)
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert not place.exists()
