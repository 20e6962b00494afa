"""A plan as the bundle that the host program reads."""

import io
import tarfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.bundle import Bundle, Proof, bundle_of, is_trial_needed, request
from postfix.deploy.host_files import Deployed, HostFiles, Situation, Table
from postfix.deploy.plan import plan_deployment
from postseal_core.files.tree import DIRECTORY, ROOT, FileEntry, Symlink, digest, manifest

KEY = FileEntry("tls/mx1.pem", b"a private key", 0o400)
LINK = Symlink("ca/0a1b2c3d.0", "root.pem")
CLIENTS = FileEntry("relay_clientcerts", b"# ours\nAA:BB alice\n  goes on\nCC:DD bob\n", 0o644)
MAIN_CF = FileEntry("main.cf", b"myhostname = mx1.example.org\n", 0o640)
DESIRED = HostFiles(files=(KEY, LINK), tables=(Table(CLIENTS, "hash"),), parameters={"biff": "no"})
# Stands for the keys that the host takes from the source.
EVERY = b"="
SITUATION = Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": MAIN_CF})


def made(desired: HostFiles = DESIRED, nonce: str = "1", rows_before: bytes = b"") -> Bundle:
    """Return the bundle of a first deployment."""
    proof = Proof(served=("AA:BB",), rows_before={"relay_clientcerts": rows_before})
    return bundle_of(plan_deployment(desired, Deployed(), SITUATION, "p"), desired, SITUATION, proof, nonce=nonce)


def members(bundle: Bundle) -> dict[str, bytes]:
    """Return the files of a bundle."""
    with tarfile.open(fileobj=io.BytesIO(bundle.archive)) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive}  # type: ignore[union-attr]


def lines(bundle: Bundle) -> list[list[str]]:
    """Return the records of a manifest."""
    return [line.split("\t") for line in members(bundle)["manifest"].decode().splitlines()]


def test_each_change_names_what_stands_there_what_shall_and_where() -> None:
    """The mark first, main.cf after all that it names and with its attributes kept; the last mark is a note."""
    changes = [line for line in lines(made()) if len(line) == 7 and line[1] in "cq"]
    kinds = [(line[0], line[2], line[-1]) for line in changes]
    assert kinds == [
        ("put", "600", ".postseal.json"),
        ("dir", "755", "ca"),
        ("dir", "700", "tls"),
        ("link", "-", "ca/0a1b2c3d.0"),
        ("put", "400", "tls/mx1.pem"),
        ("index", "hash:644:-", "relay_clientcerts.db"),
        ("put", "644", "relay_clientcerts"),
        ("put", "keep", "main.cf"),
    ]
    by_path = {line[-1]: line for line in changes}
    assert by_path["main.cf"][3] == digest(MAIN_CF)
    assert by_path["tls/mx1.pem"][3:5] == ["-", digest(KEY)]
    assert by_path[".postseal.json"][3] == "*"
    held = members(made())
    assert all(f"f/{line[5]}" in held for line in changes if line[0] in ("put", "link", "index"))


def looked_up(bundle: Bundle) -> dict[str, tuple[bytes, bytes]]:
    """Return what is asked of the staged table, and of the one in force."""
    held = {**members(bundle), "f/=": EVERY}
    return {line[2]: (held[f"f/{line[3]}"], held[f"f/{line[4]}"]) for line in lines(bundle) if line[0] == "lookup"}


def test_rows_that_are_declared_are_looked_up_and_those_that_go() -> None:
    """A line that goes on is no row; a key in other letters is the same one."""
    bundle = made(rows_before=b"aa:bb alice\nEE:FF carol\n")
    assert looked_up(bundle) == {"found": (EVERY, b"AA:BB\nCC:DD\n"), "absent": (b"EE:FF\n", b"EE:FF\n")}
    assert looked_up(made()) == {"found": (EVERY, EVERY)}
    names = replace(DESIRED, tables=(Table(replace(CLIENTS, mode=0o400), "hash", has_file_names=True),))
    assert looked_up(made(names)) == {}


def test_in_force_only_what_has_changed_is_looked_up() -> None:
    """All rows were found in the staged table, and the one in force has to be the same file."""
    assert looked_up(made(rows_before=b"AA:BB alice\n")) == {"found": (EVERY, b"CC:DD\n")}
    assert looked_up(made(rows_before=CLIENTS.content)) == {"found": (EVERY, b"")}


def test_the_same_plan_a_second_time_is_another_transaction() -> None:
    """Or the program would answer with the result of the first one; the bundle itself is the same bytes."""
    assert made(nonce="1").id != made(nonce="2").id
    assert made(nonce="1").archive == made(nonce="2").archive
    assert made(nonce="1").id == made(nonce="1").id


def test_no_key_shows_in_a_bundle_that_is_printed() -> None:
    """The archive holds it, the record does not show it."""
    bundle = made()
    assert KEY.content in bundle.archive
    assert "private key" not in repr(bundle) + repr(Proof(rows_before={"x": b"private key"}))


def test_what_the_program_reads_first_is_one_line() -> None:
    """With the digest of all that follows, or a dash for nothing."""
    bundle = made()
    head, _, rest = request("run", "/etc/my postfix", bundle.id, bundle.archive).partition(b"\n")
    assert head.split(b" ", 4)[0:2] + head.split(b" ", 4)[4:] == [b"POSTSEAL1", b"run", b"/etc/my postfix"]
    assert rest == bundle.archive
    assert request("recover", "/etc/postfix", "1") == b"POSTSEAL1 recover 1 - /etc/postfix\n"


ROWS = Table(CLIENTS, "hash", lists_clients=True)
OTHER = FileEntry("relay_clientcerts", b"EE:FF carol\n", 0o644)
THERE = {ROOT: DIRECTORY, CLIENTS.path: "sha256:of earlier rows", "relay_clientcerts.db": "sha256:of its index"}
DEPLOYED = Deployed(files={CLIENTS.path: THERE[CLIENTS.path]}, indexes=("relay_clientcerts.db",))


@pytest.mark.parametrize(
    ("desired", "situation", "is_needed"),
    [
        (HostFiles(tables=(ROWS,)), Situation(files=THERE), False),
        (HostFiles(tables=(replace(ROWS, source=OTHER),)), Situation(files=THERE), False),
        (HostFiles(tables=(ROWS,)), Situation(files={ROOT: DIRECTORY}), True),
        (HostFiles(tables=(replace(ROWS, lists_clients=False),)), Situation(files=THERE), True),
        (HostFiles(tables=(ROWS,), files=(KEY,)), Situation(files=THERE), True),
        (HostFiles(tables=(ROWS,), parameters={"biff": "no"}), replace(SITUATION, files=THERE), True),
        (HostFiles(), Situation(files=THERE), False),
    ],
    ids=["the rows", "other rows", "the first rows", "rows of another table", "a key", "a parameter", "all goes"],
)
def test_only_rows_of_clients_and_a_removal_are_not_tried_out(
    desired: HostFiles, situation: Situation, *, is_needed: bool
) -> None:
    """Each row is looked up, and nothing that is wrong with the rest keeps ours on a host."""
    deployed = DEPLOYED if CLIENTS.path in situation.files else Deployed()
    plan = plan_deployment(desired, deployed, situation)
    assert is_trial_needed(plan, desired, situation) is is_needed
    if desired.entries:
        assert plan.steps


def test_what_is_declared_of_a_trial_stands_in_the_manifest() -> None:
    """The level is that which is declared, in a main.cf that is ours as a whole or in parts."""
    parts = HostFiles(tables=(ROWS,), parameters={"smtpd_tls_security_level": "encrypt"})
    whole = HostFiles(
        files=(FileEntry("main.cf", b"smtpd_tls_security_level =\n  encrypt\n", 0o644),), take_over=("main.cf",)
    )
    records = [(line[0], *line[1:]) for line in lines(made(parts))]
    assert ("boot", "yes") in records
    assert ("level", "encrypt") in records
    assert ("clients", "hash", "relay_clientcerts") in records
    assert ["level", "encrypt"] in lines(made(whole))
    assert not [line for line in lines(made()) if line[0] in ("level", "clients", "name")]


NAMES = st.from_regex(r"[a-z]{1,8}(/[ -.0-~]{1,8}){0,2}", fullmatch=True).filter(
    lambda path: not {".", ".."}.intersection(path.split("/")) and not path.startswith("main.cf")
)


@given(st.dictionaries(NAMES, st.binary(max_size=20), min_size=1, max_size=4))
def test_no_field_is_empty_and_no_path_is_split(contents: dict[str, bytes]) -> None:
    """`read` of a shell takes two tabs for one, and the path is what follows the last one."""
    heads = {path.split("/", maxsplit=1)[0] for path in contents}
    files = tuple(FileEntry(f"{number}{path}", text, 0o644) for number, (path, text) in enumerate(contents.items()))
    assert heads
    records = lines(made(HostFiles(files=files)))
    assert all(all(line) for line in records)
    assert {line[-1] for line in records if line[0] == "put"} >= set(manifest(files))


LARGE = b"".join(b"k%06d client\n" % number for number in range(20_000))


@pytest.mark.parametrize(("standing", "patches"), [(("relay_clientcerts.db",), 1), ((), 0)])
def test_an_index_is_brought_up_to_date_only_where_ours_stands(standing: tuple[str, ...], patches: int) -> None:
    """By the rows that are new and without the keys that go; any other index is made anew."""
    clients = replace(CLIENTS, content=LARGE.replace(b"k000001 client", b"new row"))
    desired = replace(DESIRED, tables=(Table(clients, "hash"),))
    proof = Proof(rows_before={"relay_clientcerts": LARGE}, standing=standing)
    bundle = bundle_of(plan_deployment(desired, Deployed(), SITUATION, "p"), desired, SITUATION, proof, nonce="1")
    held = members(bundle)
    found = [(held[f"f/{line[1]}"], held[f"f/{line[2]}"], line[3]) for line in lines(bundle) if line[0] == "patch"]
    assert found == [(b"new row\n", b"k000001\n", "relay_clientcerts.db")] * patches
