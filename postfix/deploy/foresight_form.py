"""What is asked of the host program when it is to foresee, and what it says, as values."""

import io
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from postfix.deploy.program_result import failure_of, read_result
from postfix.effective.captures import CALLS, Captures, Said
from postfix.effective.visitors import Answer, Asked, Question
from postseal_core.errors import DeployError

__all__ = ["HostSaid", "When", "answers_in", "archive_of", "archive_of_values", "is_asked_on_host", "read_said"]

When = str
"""One of the two views: `live`, the host as it is, or `staged`, as it would be."""

_ENCODING: Final = ("utf-8", "surrogateescape")
_VERDICTS: Final = {"no": Answer.NO, "broken": Answer.BROKEN, "unknown": Answer.UNKNOWN}
_KINDS: Final = {
    Asked.LOOKUP: "lookup",
    Asked.READABLE: "readable",
    Asked.CIPHERS: "ciphers",
    Asked.LOGIN: "login",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSaid:
    """What the program found: what postconf(1) says by view, the addresses of the host, and whether Postfix runs.

    `staged` is None where no main.cf was sent. `addresses` is empty, and `is_running` None, where nobody can tell.
    """

    live: Captures
    staged: Captures | None = None
    addresses: frozenset[str] = frozenset()
    is_running: bool | None = None


def is_asked_on_host(question: Question) -> bool:
    """Return whether the program can answer; whom an authority file trusts it cannot say without a certificate."""
    words = f"{question.where}{question.key}{question.beside}"
    return question.asked is not Asked.TRUSTED and not {"\n", "\0"} & {*words}


def archive_of(
    configuration: Mapping[str, bytes], questions: Mapping[When, Collection[Question]] | None = None
) -> bytes:
    """Return the ustar that goes with the verb `foresee`; without questions it asks what postconf(1) says.

    `configuration`: main.cf and master.cf as they would be, as far as there are any. Questions about one table are put
    together, and answered by one command.
    """
    files = {**configuration}
    if questions is not None:
        numbered = _numbered(questions)
        files["questions"] = _lines(f"{number}\t{at.when}\t{at.kind}" for number, at in enumerate(numbered))
        for number, (at, keys) in enumerate(numbered.items()):
            files[f"q/{number}.where"] = _lines([at.where])
            files[f"q/{number}.keys"] = _lines(keys or [at.beside])
    return _ustar(files)


def archive_of_values(configuration: Mapping[str, bytes], names: Iterable[str]) -> bytes:
    """Return the ustar that asks for parameters, of a new configuration or of that which is there."""
    when = "staged" if configuration else "live"
    question = {"questions": f"0\t{when}\tvalues\n".encode(), "q/0.where": b"-\n", "q/0.keys": _lines(names)}
    return _ustar({**configuration, **question})


class _Place(NamedTuple):
    """What one command answers; `beside`: the file of a key, an account, or a type, where it takes one."""

    when: When
    kind: str
    where: str
    beside: str


def _place(when: When, question: Question) -> _Place:
    if question.asked is Asked.LOADS:
        return _Place(when, question.key, question.where, question.beside)
    beside = "" if question.asked is Asked.LOOKUP else question.key
    return _Place(when, _KINDS[question.asked], question.where, beside)


def _numbered(questions: Mapping[When, Collection[Question]]) -> dict[_Place, list[str]]:
    """Return the keys that are looked up at each place; the number of a place is where it stands."""
    found: dict[_Place, set[str]] = {}
    for when, question in ((when, each) for when, some in questions.items() for each in some):
        keys = found.setdefault(_place(when, question), set())
        if question.asked is Asked.LOOKUP:
            keys.add(question.key)
    return {place: sorted(keys) for place, keys in sorted(found.items())}


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(*_ENCODING)


def _ustar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    # Dates of 1970: Postfix waits until a main.cf is two seconds old.
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        if any("/" in name for name in files):
            directory = tarfile.TarInfo("q")
            directory.type, directory.mode = tarfile.DIRTYPE, 0o700
            archive.addfile(directory)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o600
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class _Calls:
    """What postconf(1) said: directories by view, exit codes by view and call, lines by stream, view and call."""

    directories: dict[When, str] = field(default_factory=dict)
    codes: dict[tuple[When, str], int] = field(default_factory=dict)
    lines: dict[tuple[str, When, str], list[str]] = field(default_factory=dict)

    def captures(self, when: When, root: str) -> Captures | None:
        """Return what was said in a view of the directory `root`; None where there is no such view."""
        if when not in self.directories:
            return None
        return Captures(directory=self.directories[when], root=root, **{name: self._said(when, name) for name in CALLS})

    def _said(self, when: When, name: str) -> Said:
        out, err = (
            "".join(f"{line}\n" for line in self.lines.get((stream, when, name), ())) for stream in ("out", "err")
        )
        return Said(self.codes.get((when, name), 1), out, err)


def read_said(output: bytes, root: str) -> HostSaid:
    """Return what the program said about the configuration directory `root`. Raises DeployError where it did not."""
    calls, addresses, running = _Calls(), set(), None
    for row in _rows(output, root):
        match row:
            case ["directory", when, directory]:
                calls.directories[when] = directory
            case ["said", when, name, code] if code.isdecimal():
                calls.codes[when, name] = int(code)
            case ["out" | "err" as stream, when, name, *line]:
                calls.lines.setdefault((stream, when, name), []).append("\t".join(line))
            case ["address", address]:
                addresses.add(address.lower())
            case ["running", word]:
                running = {"yes": True, "no": False}.get(word)
            case _:
                pass
    live = calls.captures("live", root)
    if live is None:
        raise DeployError(f"the program on the host did not say what Postfix does with {root}; run again")
    return HostSaid(
        live=live, staged=calls.captures("staged", root), addresses=frozenset(addresses), is_running=running
    )


def answers_in(
    output: bytes, questions: Mapping[When, Collection[Question]], root: str
) -> dict[When, dict[Question, Answer]]:
    """Return the answer to each question; UNKNOWN where the program gave none.

    Raises DeployError where it refused, or was cut off.
    """
    verdicts: dict[int, str] = {}
    found: set[tuple[int, str]] = set()
    for row in _rows(output, root):
        match row:
            case ["answer", number, verdict] if number.isdecimal():
                verdicts[int(number)] = verdict
            case ["found", number, key] if number.isdecimal():
                found.add((int(number), key))
            case _:
                pass
    numbers = {place: number for number, place in enumerate(_numbered(questions))}

    def answer(when: When, question: Question) -> Answer:
        number = numbers[_place(when, question)]
        verdict = verdicts.get(number, "unknown")
        if verdict != "ok":
            return _VERDICTS.get(verdict, Answer.UNKNOWN)
        if question.asked is not Asked.LOOKUP:
            return Answer.YES
        return Answer.YES if (number, question.key) in found else Answer.NO

    return {when: {question: answer(when, question) for question in some} for when, some in questions.items()}


def _rows(output: bytes, root: str) -> Iterator[list[str]]:
    """Return the records of an output that is whole; only a line feed ends one, and any other byte may be in a value.

    Raises DeployError where the program refused, or was cut off.
    """
    rows = [line.split("\t") for line in output.decode(*_ENCODING).split("\n")]
    result = read_result("\n".join("\t".join(row) for row in rows if row[0] in ("fault", "end", "complete")))
    if failure := failure_of(result, root):
        raise DeployError(failure)
    return iter(rows)
