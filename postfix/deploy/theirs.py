"""A main.cf and a master.cf of somebody else in a plan: what they would be without ours, and what they will be."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from postfix.deploy.host_files import MAIN_CF, MASTER_CF, Deployed, HostFiles, Situation
from postfix.deploy.originals import given_value, original_values, rebased, without_ours
from postfix.lines import find_block
from postfix.main_cf import MARKS, merge, read_parameters
from postfix.master_cf import MARKS as MASTER_MARKS
from postfix.master_cf import merge_services
from postseal_core.files.tree import FileEntry, kept_name

__all__ = ["Theirs", "base_of_taken_over", "marked_parameters", "theirs"]

_PARAMETER = f"{MAIN_CF}: "


@dataclass(frozen=True, slots=True)
class Theirs:
    """Files of others, of which a part is ours.

    `merged`: these files with ours, by path. `bases`: what they are without it. `without_ours`: the same, to keep while
    anything there is ours. `originals`: the values that declared parameters had there, as `Deployed` has them.
    `from_kept`: paths at which ours was the whole file, and now is merged into the one that was kept beside it.
    """

    merged: Mapping[str, FileEntry] = field(default_factory=dict)
    bases: Mapping[str, bytes] = field(default_factory=dict)
    without_ours: Mapping[str, bytes] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)
    from_kept: frozenset[str] = frozenset()


def theirs(desired: HostFiles, deployed: Deployed, situation: Situation) -> Theirs:
    """Return what becomes of a main.cf and a master.cf that are not ours as a whole.

    Raises ConfigError as `merge` and `merge_services` do.
    """
    parts = (
        (MAIN_CF, desired.parameters, _main_cf(desired, deployed, situation)),
        (MASTER_CF, desired.services, _master_cf(desired, deployed, situation)),
    )
    found = {path: (declared, *texts) for path, declared, texts in parts if texts}
    base = found[MAIN_CF][1] if MAIN_CF in found else None
    was_whole = {path for path in found if path in deployed.files and kept_name(path) in situation.configuration}
    return Theirs(
        merged={
            path: replace(
                situation.configuration[kept_name(path) if path in was_whole else path], path=path, content=_bytes(text)
            )
            for path, (_, _, text) in found.items()
        },
        bases={path: _bytes(text) for path, (_, text, _) in found.items() if text is not None},
        without_ours={
            path: _bytes(text) for path, (declared, text, _) in found.items() if declared and text is not None
        },
        originals=original_values(base, desired.parameters) if base is not None else {},
        from_kept=frozenset(was_whole),
    )


def base_of_taken_over(deployed: Deployed, situation: Situation) -> dict[str, FileEntry]:
    """Return main.cf and master.cf without ours, where a part of them is ours and the whole shall be."""
    none = HostFiles()
    found = {MAIN_CF: _main_cf(none, deployed, situation), MASTER_CF: _master_cf(none, deployed, situation)}
    return {
        path: replace(situation.configuration[path], content=_bytes(texts[0]))
        for path, texts in found.items()
        if texts and texts[0] is not None
    }


def marked_parameters(situation: Situation) -> set[str]:
    """Return the parameters that the mark lists as ours."""
    return {name.removeprefix(_PARAMETER) for name in situation.mark.settings if name.startswith(_PARAMETER)}


def _main_cf(desired: HostFiles, deployed: Deployed, situation: Situation) -> tuple[str | None, str] | None:
    """Return main.cf without ours, None where that is not known, and main.cf as it will be."""
    if not (desired.parameters or deployed.parameters) or desired.has(MAIN_CF):
        return None
    if MAIN_CF not in situation.configuration:
        return None
    text = _text(situation, MAIN_CF)
    ours = {*deployed.parameters} | marked_parameters(situation)
    gone = {*deployed.parameters} - set(desired.parameters)
    if MAIN_CF in deployed.files:
        return _after_a_whole_one(desired, situation, text)
    base = _base(desired, deployed, situation, ours)
    # What the administrator took out stays out.
    if taken_out := gone - read_parameters(text).keys():
        base = without_ours(base, taken_out)
    as_merged = merge(text, desired.parameters, gone)
    if ours <= {*gone, *desired.parameters} and (as_merged != text or not desired.parameters):
        return base, merge(base, desired.parameters) if desired.parameters else base
    if as_merged == text:
        return base, text
    # Some parameters are of another part of the run, and stay as they are.
    back = {name: value for name, value in read_parameters(base).items() if name in gone}
    return base, merge(text, {**desired.parameters, **back}, gone)


def _after_a_whole_one(desired: HostFiles, situation: Situation, text: str) -> tuple[str | None, str]:
    """Return main.cf where ours was the whole file before: into that of others, if one was kept."""
    if kept_name(MAIN_CF) in situation.configuration:
        base = _text(situation, kept_name(MAIN_CF))
        return base, merge(base, desired.parameters)
    return None, merge(text, desired.parameters)


def _base(desired: HostFiles, deployed: Deployed, situation: Situation, ours: set[str]) -> str:
    """Return main.cf without ours as the mark has it, or as it follows from what is known of single values."""
    text, marked = _text(situation, MAIN_CF), situation.mark.originals.get(MAIN_CF)
    if marked is not None:
        return rebased(_decoded(marked), text, ours)
    if ours:
        present = read_parameters(text)
        back = {name: given_value(value) for name, value in deployed.originals.items() if name in present}
        return without_ours(merge(text, back, ours), ())
    if block := find_block(text.split("\n"), MARKS):
        # Left by a deployment that nobody remembers: its values must not come back later as somebody else's.
        left = read_parameters("\n".join(text.split("\n")[block]))
        return without_ours(text, {*left, *desired.parameters})
    return text


def _master_cf(desired: HostFiles, deployed: Deployed, situation: Situation) -> tuple[str | None, str] | None:
    if not (desired.services or deployed.has_services) or desired.has(MASTER_CF):
        return None
    if MASTER_CF not in situation.configuration:
        return None
    if MASTER_CF in deployed.files:
        return _after_a_whole_master_cf(desired, situation)
    text, marked = _text(situation, MASTER_CF), situation.mark.originals.get(MASTER_CF)
    known = [(name, kind) for name, _, kind in (key.rpartition("/") for key in deployed.services)]
    merged = merge_services(text, desired.services, known)
    base = merge_services(text, (), known) if marked is None else rebased(_decoded(marked), text, (), MASTER_MARKS)
    return base, merged if desired.services else base


def _after_a_whole_master_cf(desired: HostFiles, situation: Situation) -> tuple[str | None, str]:
    if kept_name(MASTER_CF) in situation.configuration:
        base = _text(situation, kept_name(MASTER_CF))
        return base, merge_services(base, desired.services)
    return None, merge_services(_text(situation, MASTER_CF), desired.services)


def _text(situation: Situation, path: str) -> str:
    # Comments in a file that is not ours may be in any encoding, and every byte must survive.
    return situation.configuration[path].content.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(content_base64: str) -> str:
    return b64decode(content_base64).decode("utf-8", "surrogateescape")
