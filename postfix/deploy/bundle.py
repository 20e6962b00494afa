"""A plan as one bundle of bytes for the host program: what stands where now, what shall, and how that is proven.

The format is in docs/design/20261126-host-transactions.md; `program/postseal-host` reads it. Holds private keys.
"""

import io
import tarfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from postfix.deploy.host_files import MAIN_CF, HostFiles, Situation, Table
from postfix.deploy.lookups import Lookups, as_lines, has_rows, keys_of, lookups_of
from postfix.deploy.plan import HostPlan
from postfix.deploy.steps import (
    BuildTable,
    GiveBack,
    KeepOriginal,
    MakeDirectory,
    Place,
    Reload,
    Remove,
    RemoveDirectory,
    Step,
    WriteFile,
)
from postfix.main_cf import read_parameters
from postseal_core.files.tree import MARK_FILE, OF_ANOTHER, ROOT, Entry, FileEntry, Symlink, digest, kept_name

__all__ = ["Bundle", "Proof", "Verb", "bundle_of", "is_trial_needed", "request"]

_FORM: Final = ("form", "1")
_NOTHING: Final = "-"
_ANYTHING: Final = "*"
# The host takes them from the source: of a large table they would make up half of the bundle.
_EVERY_KEY: Final = "="
_PLACES: Final[Mapping[Place, str]] = {Place.CONFIG: "c", Place.QUEUE: "q"}
_SHORT: Final = 32

Verb = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What proves a deployment on the host.

    `served`: SHA-256 fingerprints of server certificates; each SMTP server that uses the chain of main.cf has to serve
    one of them. Nothing is asked of the chain if there is none. `names`: by which clients ask for a server, each of
    which gets one of them. `rows_before`: the sources of tables on the host now, by path: a key that is in one and no
    longer declared must not be found. `standing`: the indexes on the host that are of these rows, as we have made them.
    `admits`: whether some server has to let a listed client relay; not where none
    did before, or where that is accepted.
    """

    served: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    rows_before: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    standing: Collection[str] = ()
    admits: bool = True


@dataclass(frozen=True, slots=True)
class Bundle:
    """One transaction: `id` is its own, also for the same plan a second time; `archive` is a ustar."""

    id: str
    archive: bytes = field(repr=False)


def request(verb: Verb, root: str, transaction_id: str, archive: bytes = b"", *, kept: int | None = None) -> bytes:
    """Return what the host program reads: one line, and the bundle for the verb `run`.

    `kept`: for the verb `recover`, how many earlier states stay on the host; None leaves them all.
    """
    digest_of_archive = sha256(archive).hexdigest() if archive else _NOTHING if kept is None else str(kept)
    return f"POSTSEAL1 {verb} {transaction_id} {digest_of_archive} {root}\n".encode() + archive


def bundle_of(
    plan: HostPlan,
    desired: HostFiles,
    situation: Situation,
    proof: Proof,
    *,
    nonce: str,
    kept_generations: int = 0,
    owner: str = "",
) -> Bundle:
    """Return the bundle that carries out `plan`.

    `nonce`: letters and digits that no other run has, so that the same plan is carried out a second time.
    `kept_generations`: how many earlier states stay on the host; none removes those that are kept there. `owner`: the
    project and stack that deploys, which is noted beside what is kept.
    """
    members = _Members()
    lines = [
        _FORM,
        ("queue", situation.chroot_root if plan.has_chroot else _NOTHING),
        ("keep", str(kept_generations)),
        ("owner", owner or _NOTHING),
        *(("served", fingerprint) for fingerprint in proof.served),
        *(("given", members.add(content), path) for path, content in plan.given.items()),
        *(("name", name) for name in proof.names),
        *_trial(plan, desired, situation),
        *([] if proof.admits else [("admits", "no")]),
        *_Changes(plan, situation, members).lines(),
        *_lookups(plan, desired, proof, members),
    ]
    manifest = "".join("\t".join(line) + "\n" for line in lines).encode()
    archive = _archive({"manifest": manifest, **members.files})
    return Bundle(sha256(nonce.encode() + archive).hexdigest()[:_SHORT], archive)


class _Members:
    """The files of a bundle, by their names in it; the same content is there once."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self._numbers: dict[bytes, str] = {}

    def add(self, content: bytes) -> str:
        """Return the number of a file with this content."""
        number = self._numbers.setdefault(content, str(len(self._numbers) + 1))
        self.files[f"f/{number}"] = content
        return number


@dataclass(frozen=True, slots=True)
class _Changes:
    plan: HostPlan
    situation: Situation
    members: _Members

    def lines(self) -> Iterator[tuple[str, ...]]:
        """Yield each change in order: the marks first, what is obsolete and the marks as they will be last."""
        marks = ((Place.CONFIG, self.plan.mark), (Place.QUEUE, self.plan.chroot_mark))
        for place, change in marks:
            if change.before:
                yield self._put(place, change.before, _ANYTHING)
        for step in self.plan.steps:
            yield from self._of(step)
        for place, change in marks:
            if change.before and change.after != change.before:
                yield self._mark_afterwards(place, change.after)

    def _of(self, step: Step) -> Iterator[tuple[str, ...]]:
        match step:
            case MakeDirectory(place, directory) if directory.path != ROOT:
                path = directory.path.rstrip("/")
                yield ("dir", _PLACES[place], f"{directory.mode:o}", _NOTHING, "directory", _NOTHING, path)
            case WriteFile(place, entry):
                yield self._put(place, entry, self._there(place, entry.path))
            case BuildTable(table):
                yield self._index(table)
                yield self._put(Place.CONFIG, table.source, self._there(Place.CONFIG, table.source.path))
            case KeepOriginal(place, path):
                yield self._same(place, path, kept_name(path))
            case GiveBack(place, path):
                yield self._same(place, kept_name(path), path)
            case Remove(place, path):
                yield ("gone", _PLACES[place], _NOTHING, self._there(place, path), _NOTHING, _NOTHING, path)
            case RemoveDirectory(place, path) if path != ROOT:
                yield ("rmdir", _PLACES[place], _NOTHING, _NOTHING, _NOTHING, _NOTHING, path.rstrip("/"))
            case MakeDirectory() | RemoveDirectory() | Reload():
                pass

    def _put(self, place: Place, entry: Entry, there: str) -> tuple[str, ...]:
        if isinstance(entry, Symlink):
            number = self.members.add(entry.target.encode())
            return ("link", _PLACES[place], _NOTHING, there, digest(entry), number, entry.path)
        is_merged = place is Place.CONFIG and entry.path in self.plan.merged
        how = "keep" if is_merged else f"{entry.mode:o}"
        if place is Place.CONFIG and entry.path in self.plan.attributes_of:
            how = f"keep={self.plan.attributes_of[entry.path]}"
        return ("put", _PLACES[place], how, there, digest(entry), self.members.add(entry.content), entry.path)

    def _index(self, table: Table) -> tuple[str, ...]:
        path = f"{table.source.path}{table.index_suffix}"
        how = f"{table.type}:{table.source.mode:o}:{'F' if table.has_file_names else _NOTHING}"
        number = self.members.add(table.source.content)
        return ("index", "c", how, self._there(Place.CONFIG, path), _NOTHING, number, path)

    def _same(self, place: Place, source: str, path: str) -> tuple[str, ...]:
        there = self._there(place, path)
        return ("same", _PLACES[place], _NOTHING, there, self._there(place, source), source, path)

    def _mark_afterwards(self, place: Place, mark: Entry | None) -> tuple[str, ...]:
        if mark is None or isinstance(mark, Symlink):
            return ("note", _PLACES[place], _NOTHING, _NOTHING, _NOTHING, _NOTHING, MARK_FILE)
        how, number = f"{mark.mode:o}", self.members.add(mark.content)
        return ("note", _PLACES[place], how, _NOTHING, digest(mark), number, MARK_FILE)

    def _there(self, place: Place, path: str) -> str:
        """Return the digest of what stands at a path now, as the plan has seen it."""
        if place is Place.CONFIG and path in self.situation.configuration:
            return digest(self.situation.configuration[path])
        present = self.situation.files if place is Place.CONFIG else self.situation.chroot
        return present.get(path, _NOTHING).removesuffix(OF_ANOTHER)


def _trial(plan: HostPlan, desired: HostFiles, situation: Situation) -> Iterator[tuple[str, ...]]:
    yield ("boot", "yes" if is_trial_needed(plan, desired, situation) else "no")
    if level := _declared_level(desired):
        yield ("level", level)
    yield from (("clients", table.type, table.source.path) for table in desired.tables if table.lists_clients)


def is_trial_needed(plan: HostPlan, desired: HostFiles, situation: Situation) -> bool:
    """Return whether what a plan changes may change what a server says to a client that it does not list.

    Not where only rows of clients change, as each of them is looked up; nor where all of ours goes, for nothing that is
    wrong with the rest may keep it there.
    """
    if not desired.entries and not desired.parameters and not desired.services:
        return False
    tables = {table.source.path for table in desired.tables if table.lists_clients}
    ours = {path for path in tables if path in situation.files}
    return any(not _is_of_rows(step, ours) for step in plan.steps)


def _is_of_rows(step: Step, tables: Collection[str]) -> bool:
    match step:
        case WriteFile(Place.CONFIG, entry):
            return entry.path in tables
        case BuildTable(table):
            return table.source.path in tables
        case MakeDirectory(_, directory):
            return directory.path == ROOT
        case Reload():
            return True
    return False


def _declared_level(desired: HostFiles) -> str:
    whole = (entry for entry in desired.files if entry.path == MAIN_CF and isinstance(entry, FileEntry))
    texts = (entry.content.decode("utf-8", "surrogateescape") for entry in whole)
    declared = {**next((read_parameters(text) for text in texts), {}), **desired.parameters}
    return declared.get("smtpd_tls_security_level", "")


def _lookups(plan: HostPlan, desired: HostFiles, proof: Proof, members: _Members) -> Iterator[tuple[str, ...]]:
    written = {step.entry.path for step in plan.steps if isinstance(step, WriteFile)}
    written |= {table.source.path for table in plan.built_tables}
    for table in desired.tables:
        path = table.source.path
        if table.has_file_names or (path not in written and not plan.is_empty):
            continue
        keys = lookups_of(table.source.content, proof.rows_before.get(path, b""))
        is_new = path in written
        if is_new and keys.rows and (index := table.index_path) and index in proof.standing:
            gone = members.add(as_lines(keys.withdrawn)) if keys.withdrawn else _NOTHING
            yield ("patch", members.add(keys.rows), gone, index)
        for what, *keys_and_source in _asked(
            table, keys, members, is_new=is_new, has_rows_before=bool(proof.rows_before.get(path))
        ):
            yield ("lookup", table.type, what, *keys_and_source, path)


def _asked(
    table: Table, keys: Lookups, members: _Members, *, is_new: bool, has_rows_before: bool
) -> Iterator[tuple[str, str, str, str]]:
    """Yield `found` or `absent`, the keys for the staged table and for the one in force, and the source or nothing."""
    content = table.source.content
    source = members.add(content) if is_new else _NOTHING
    if has_rows(content):
        every = _EVERY_KEY if is_new else members.add(as_lines(keys_of(content)))
        # A table that was tried before it was put in place needs no second look at what has not changed.
        yield "found", every, members.add(as_lines(keys.added)) if is_new and has_rows_before else every, source
    if keys.withdrawn:
        withdrawn = members.add(as_lines(keys.withdrawn))
        yield "absent", withdrawn, withdrawn, source


def _archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    # Dates of 1970: Postfix waits until a texthash is two seconds old.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
