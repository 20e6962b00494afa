"""Find the entry that reproduces a host; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postfix.audit.host_view import HostView
from postseal.adopt.clients import listed_clients
from postseal.adopt.entries import draft_of
from postseal.adopt.trial import Trial, tried

__all__ = ["Adoption", "adopted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What brings a host into a stack.

    `entry`: of the host. `remarks`: what it leaves out. `values` and `told`: what the first preview will name.
    `closed`: listeners that let strangers relay now, and will not any more.
    `obstacles`: what the stack file cannot reproduce; there is no entry then that may be used.
    """

    name: str
    entry: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()


def adopted(view: HostView, name: str) -> Adoption:
    """Return the entry with which nobody gains, and strangers at an open relay alone lose.

    `name`: what the host is called in the stack.
    """
    if view.configuration.cannot_tell:
        return Adoption(name=name, obstacles=(f"Postfix cannot use the files: {view.configuration.cannot_tell}",))
    if view.unreadable_listeners:
        return Adoption(name=name, obstacles=tuple(each.cannot_tell for each in view.unreadable_listeners))
    clients = listed_clients(view)
    found: list[Adoption] = []
    # Where only some listeners have users who log in, one of the two leaves all as it is.
    for is_sasl in (view.main.is_yes("smtpd_sasl_auth_enable"), not view.main.is_yes("smtpd_sasl_auth_enable")):
        draft = draft_of(view, clients, is_sasl=is_sasl)
        if draft.obstacles:
            return Adoption(name=name, obstacles=draft.obstacles)
        entry = dict(draft.entry)
        trial = tried(view, name, entry)
        if trial.acceptable:
            entry["accept"] = {word: [*places] for word, places in trial.acceptable.items()}
            trial = tried(view, name, entry)
        found.append(_adoption(name, entry, draft.remarks, trial))
        if not trial.obstacles:
            break
    return min(found, key=lambda each: len(each.obstacles))


def _adoption(name: str, entry: Mapping[str, Any], remarks: tuple[str, ...], trial: Trial) -> Adoption:
    return Adoption(
        name=name,
        entry=entry,
        remarks=remarks,
        values=trial.values,
        told=trial.told,
        closed=trial.closed,
        obstacles=trial.obstacles,
    )
