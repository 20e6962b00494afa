"""Plans of deployments as values."""

from dataclasses import replace

import pytest

from postfix.deploy.host_files import Deployed, HostFiles, Situation, Table
from postfix.deploy.plan import plan_deployment, write_order
from postfix.deploy.steps import (
    BuildTable,
    KeepOriginal,
    MakeDirectory,
    Place,
    Reload,
    Remove,
    RemoveDirectory,
    Step,
    WriteFile,
)
from postfix.master_cf import Service
from postseal_core.errors import ConfigError
from postseal_core.files.tree import DIRECTORY, ROOT, Directory, FileEntry, manifest, plan_tree

KEY = FileEntry("tls/mx1.pem", b"key and chain", 0o400)
CLIENTS = FileEntry("relay_clientcerts", b"AA:BB alice generation=1\n", 0o644)
MAIN_CF = FileEntry("main.cf", b"# ours is below\nmyhostname = mx1.example.org\nmail_owner = postfix\n", 0o640)
MASTER_CF = FileEntry("master.cf", b"smtp inet n - y - - smtpd\n", 0o644)
ROOT_PEM = FileEntry("etc/postfix/ca/root.pem", b"root", 0o644)
HERE = {ROOT: DIRECTORY}
HOST = Situation(files=HERE, configuration={"main.cf": MAIN_CF, "master.cf": MASTER_CF})
LEVEL = {"smtpd_tls_security_level": "may"}
CLIENT_SERVICE = Service("relay2", "unix", "smtp")


def lines(steps: tuple[Step, ...]) -> list[str]:
    """Return steps without digests."""
    return [" ".join(str(step).split()[:2]) for step in steps]


def test_everything_that_main_cf_names_is_there_before_main_cf_and_nothing_goes_before_the_reload() -> None:
    """The order of steps is safe for a Postfix that reads its files at any moment."""
    old = FileEntry("tls/old.pem", b"old", 0o400)
    present = HERE | manifest([old]) | {"tls/": DIRECTORY, "old.db": "sha256:index"}
    desired = HostFiles(
        files=(KEY,),
        tables=(Table(CLIENTS, "hash"), Table(FileEntry("a_table", b"x y\n", 0o644), "texthash")),
        parameters=LEVEL,
        services=(CLIENT_SERVICE,),
        chroot=(ROOT_PEM,),
    )
    deployed = Deployed(files=manifest([old]), indexes=("old.db",))
    plan = plan_deployment(desired, deployed, replace(HOST, files=present, chroot=HERE))
    assert lines(plan.steps) == [
        "make $queue_directory/etc/",
        "make $queue_directory/etc/postfix/",
        "make $queue_directory/etc/postfix/ca/",
        "write $queue_directory/etc/postfix/ca/root.pem",
        "write $config_directory/tls/mx1.pem",
        "write $config_directory/a_table",
        "index hash:$config_directory/relay_clientcerts",
        "write $config_directory/master.cf",
        "write $config_directory/main.cf",
        "reload Postfix",
        "remove $config_directory/old.db",
        "remove $config_directory/tls/old.pem",
    ]


def test_a_merged_file_keeps_its_mode_and_every_byte_that_is_not_declared() -> None:
    """Only the parameter is new, even in a file whose comments are in another encoding."""
    latin = replace(MAIN_CF, content=b"# gr\xfc\xdfe\n" + MAIN_CF.content)
    situation = replace(HOST, configuration={"main.cf": latin})
    plan = plan_deployment(HostFiles(parameters=LEVEL), Deployed(), situation)
    written = [step.entry for step in plan.steps if isinstance(step, WriteFile)]
    assert written == [plan.main_cf]
    assert plan.main_cf is not None
    assert plan.main_cf.mode == MAIN_CF.mode
    assert plan.main_cf.content.startswith(latin.content)
    assert plan.main_cf.content.count(b"\nsmtpd_tls_security_level = may\n") == 1
    assert replace(plan.deployed, stamp="") == Deployed(parameters=("smtpd_tls_security_level",))


def test_a_parameter_that_is_no_longer_declared_is_taken_out() -> None:
    """What was ours in a file of others goes again."""
    situation = replace(HOST, configuration={"main.cf": replace(MAIN_CF, content=MAIN_CF.content + b"relayhost = x\n")})
    plan = plan_deployment(HostFiles(), Deployed(parameters=("relayhost",)), situation)
    assert plan.main_cf == MAIN_CF
    assert lines(plan.steps) == ["write $config_directory/main.cf", "reload Postfix"]


def test_services_go_into_a_master_cf_of_others_and_out_again() -> None:
    """After a deployment and its removal, master.cf is as it was."""
    plan = plan_deployment(HostFiles(services=(CLIENT_SERVICE,)), Deployed(), HOST)
    assert plan.deployed.has_services
    assert plan.master_cf is not None
    assert b"relay2" in plan.master_cf.content
    changed = replace(HOST, configuration={"main.cf": MAIN_CF, "master.cf": plan.master_cf})
    assert plan_deployment(HostFiles(), plan.deployed, changed).master_cf == MASTER_CF


def test_a_host_as_declared_gives_no_step() -> None:
    """No write, no command and no reload where nothing changes."""
    table = Table(CLIENTS, "lmdb")
    desired = HostFiles(files=(KEY,), tables=(table,), parameters={"mail_owner": "postfix"})
    present = HERE | manifest(desired.entries) | {"tls/": DIRECTORY, "relay_clientcerts.lmdb": "sha256:index"}
    deployed = Deployed(
        manifest(desired.entries),
        indexes=("relay_clientcerts.lmdb",),
        index_digests={"relay_clientcerts.lmdb": "sha256:index"},
        parameters=("mail_owner",),
    )
    plan = plan_deployment(desired, deployed, replace(HOST, files=present))
    assert plan.is_empty
    assert replace(plan.deployed, stamp="") == deployed


DB = "relay_clientcerts.db"


@pytest.mark.parametrize(
    ("made", "there", "steps"),
    [
        ({DB: "sha256:index"}, (DB,), ""),
        ({DB: "sha256:index"}, (), "build"),
        ({DB: "sha256:another"}, (DB,), "build"),
        ({DB: ""}, (DB,), "build"),
        ({}, (DB,), "keep build"),
    ],
    ids=["ours", "missing", "changed by somebody", "made when nobody noted what", "not ours"],
)
def test_an_index_is_made_again_unless_it_is_the_one_that_was_made(
    made: dict[str, str], there: tuple[str, ...], steps: str
) -> None:
    """An unchanged source is no proof that the index beside it is of the same rows; one of others is kept."""
    table = Table(CLIENTS, "hash")
    present = HERE | manifest([CLIENTS]) | dict.fromkeys(there, "sha256:index")
    known = {path: digest for path, digest in made.items() if digest}
    deployed = Deployed(manifest([CLIENTS]), indexes=tuple(made), index_digests=known)
    desired = HostFiles(tables=(table,), take_over=("relay_clientcerts",))
    plan = plan_deployment(desired, deployed, replace(HOST, files=present))
    done: dict[str, tuple[Step, ...]] = {
        "keep": (KeepOriginal(Place.CONFIG, DB),),
        "build": (BuildTable(table), Reload()),
    }
    assert plan.steps == tuple(step for word in steps.split() for step in done[word])
    assert plan.built_tables == ((table,) if steps else ())


def test_a_table_that_changes_its_type_loses_its_old_index_after_the_reload() -> None:
    """The old index serves until the new main.cf is read."""
    present = HERE | manifest([CLIENTS]) | {"relay_clientcerts.db": "sha256:index"}
    deployed = Deployed(manifest([CLIENTS]), indexes=("relay_clientcerts.db",))
    table = Table(CLIENTS, "lmdb")
    plan = plan_deployment(HostFiles(tables=(table,)), deployed, replace(HOST, files=present))
    assert plan.steps == (BuildTable(table), Reload(), Remove(Place.CONFIG, "relay_clientcerts.db"))


def test_a_main_cf_that_is_ours_as_a_whole_is_written_last_and_removed_without_a_reload() -> None:
    """Without main.cf no command of Postfix works, so none is run."""
    desired = HostFiles(files=(MAIN_CF, KEY))
    plan = plan_deployment(desired, Deployed(), Situation())
    assert lines(plan.steps)[-2:] == ["write $config_directory/main.cf", "reload Postfix"]
    assert MakeDirectory(Place.CONFIG, Directory("tls/", 0o700)) in plan.steps
    there = Situation(manifest(desired.files) | HERE | {"tls/": DIRECTORY}, configuration={"main.cf": MAIN_CF})
    gone = plan_deployment(HostFiles(), plan.deployed, there)
    assert gone.main_cf is None
    assert all(isinstance(step, Remove | RemoveDirectory) for step in gone.steps)


def test_a_whole_main_cf_can_be_given_back_by_declaring_only_parameters() -> None:
    """The file stays with its content and is no longer ours."""
    there = replace(HOST, files=HERE | manifest([MAIN_CF]))
    plan = plan_deployment(HostFiles(parameters={"mail_owner": "postfix"}), Deployed(manifest([MAIN_CF])), there)
    assert plan.is_empty
    assert replace(plan.deployed, stamp="") == Deployed(parameters=("mail_owner",))


def test_no_line_for_a_reader_holds_content() -> None:
    """A preview of steps shows digests."""
    plan = plan_deployment(HostFiles(files=(KEY,), tables=(Table(CLIENTS, "hash"),)), Deployed(), HOST)
    shown = " ".join(map(str, plan.steps)) + repr(plan.steps)
    assert "chain" not in shown.replace("chain_", "")
    assert "AA:BB" not in shown


def test_all_problems_of_a_declaration_come_together() -> None:
    """Every mistake has its place, whatever its kind."""
    desired = HostFiles(
        files=(MAIN_CF, KEY, KEY),
        tables=(Table(replace(CLIENTS, path="sni"), "hash", has_file_names=True), Table(CLIENTS, "dbm")),
        parameters=LEVEL,
        services=(CLIENT_SERVICE,),
        chroot=(ROOT_PEM, ROOT_PEM),
    )
    with pytest.raises(ConfigError) as error:
        plan_deployment(desired, Deployed(), Situation())
    paths = [problem.path for problem in error.value.problems]
    assert paths == [
        "tls/mx1.pem",
        "queue_directory.etc/postfix/ca/root.pem",
        "main.cf",
        "sni",
        "relay_clientcerts",
        "main.cf",
        "master.cf",
    ]


def test_whole_files_are_written_with_main_cf_last() -> None:
    """Also in a plain directory, which somebody else may be copying from."""
    desired = HostFiles(files=(MAIN_CF, MASTER_CF, KEY), tables=(Table(CLIENTS, "hash"),))
    plan = plan_tree(desired.entries, {}, {}, order=write_order(desired))
    assert plan.write == (KEY, CLIENTS, MASTER_CF, MAIN_CF)
    assert plan_tree(desired.entries, plan.owned, plan.owned, order=write_order(desired)).is_empty


def test_a_block_of_ours_that_is_damaged_is_named_with_its_host() -> None:
    """A stack has more hosts than one."""
    begin = b"# --- Postseal: begin of added parameters; change them in the stack file ---\n"
    damaged = replace(HOST, root="/etc/postfix", configuration={"main.cf": replace(MAIN_CF, content=begin)})
    with pytest.raises(ConfigError, match=r"\A/etc/postfix/main\.cf line 1: a block of ours begins here"):
        plan_deployment(HostFiles(parameters=LEVEL), Deployed(), damaged)
