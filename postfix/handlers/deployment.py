"""The resource `Deployment`: one Postfix host brought to its declared configuration."""

from collections.abc import Mapping
from typing import Any, ClassVar

from pki.handlers.withdrawal import withdrawal_problems
from postfix.declaration_codec import decode_host
from postfix.deployment import PreparedHost, accepted_clients, parse_accepted_rows, prepare, shown_parts
from postfix.handlers.occupation import is_same_place, leftovers, occupy, problems_of_place
from postfix.handlers.targets import target_of
from postfix.host import HostDeclaration
from postfix.preflight import problems_of_host
from postfix.tables import ClientRow, problems_of_client_rows
from postseal_core.errors import Problem
from postseal_core.files.tree import manifest
from postseal_core.instants import parse_instant
from postseal_core.plugin.diff import Change, compare
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import UNKNOWN, Properties, contains_unknown, is_unknown

__all__ = ["DeploymentHandler"]

_TABLE = "relay_clientcerts"


class DeploymentHandler(HandlerBase):
    """Shows rows, parameters and files in a preview; writes them in the order that is safe for a running Postfix."""

    type_token: ClassVar[str] = "postseal:index:Deployment"

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Render and check the host as far as its certificates are known."""
        new = request.new
        host = decode_host(new["declaration"])
        rows, clients = _rows(new)
        problems = [*problems_of_host(host), *_row_problems(clients), *withdrawal_problems(new)]
        problems += problems_of_place(host.name, new["target"], context)
        if problems:
            return Checked({}, tuple(problems))
        inputs = {
            "name": host.name,
            "target": new["target"],
            **shown_parts(host),
            "certificates": {name: chain["description"] for name, chain in new["chains"].items()},
            "roots": dict.fromkeys(new["roots"], "trusted"),
            _TABLE: rows,
            "content": _content(host, new, clients, context),
        }
        return Checked({name: value for name, value in inputs.items() if value not in ({}, [])})

    def diff(self, old_inputs: Properties, old_outputs: Properties, new_inputs: Properties) -> Mapping[str, Change]:
        """Show the content's digests only where nothing else says what changes; find what was changed outside."""
        changes = compare(old_inputs, new_inputs)
        if _is_same_table(old_inputs, new_inputs):
            changes = {path: change for path, change in changes.items() if not path.startswith(_TABLE)}
        visible = {path: change for path, change in changes.items() if not path.startswith("content")}
        target = target_of(old_outputs["target"])
        if not changes and target.drift(old_outputs["deployed"], old_inputs["main_cf"]):
            return {"content": Change.UPDATE}
        return visible or changes

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Bring the host to its declaration for the first time."""
        return Created(inputs["name"], self._deploy(inputs, {}, context, is_preview=is_preview))

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Bring the host to its declaration; after a change of the target, leave nothing of ours at the old one."""
        del id
        if is_same_place(inputs["target"], old_outputs["target"]):
            return self._deploy(inputs, old_outputs["deployed"], context, is_preview=is_preview)
        outputs = self._deploy(inputs, {}, context, is_preview=is_preview)
        if not is_preview:
            _leave(old_outputs, context)
        return outputs

    def delete(self, id: str, outputs: Properties, context: Context) -> None:
        """Remove what is ours from the host, except what another host has in the same place by now."""
        del id
        _leave(outputs, context)

    def _deploy(
        self, inputs: Properties, deployed: Mapping[str, Any], context: Context, *, is_preview: bool
    ) -> dict[str, Any]:
        outputs = {"name": inputs["name"], "target": inputs["target"]}
        target = target_of(inputs["target"])
        for what in target.drift(deployed, inputs["main_cf"]) if deployed else ():
            context.report(f"{what} was changed or removed by somebody else; it will be as declared")
        if is_preview:
            return outputs | {"deployed": UNKNOWN}
        prepared: PreparedHost = context.parsed[_memo(context)]
        return outputs | {"deployed": target.write(prepared, deployed, context.report)}


def _is_same_table(old_inputs: Properties, new_inputs: Properties) -> bool:
    """Whether all rows stay, though the lines that a reviewer reads differ: a client moved, a roster said something."""
    old, new = old_inputs.get("content", UNKNOWN), new_inputs.get("content", UNKNOWN)
    return not is_unknown(old) and not is_unknown(new) and old.get(_TABLE) == new.get(_TABLE)


def _memo(context: Context) -> str:
    # Not by the host's name: a program may give one name to two hosts of different types.
    return f"prepared for {context.urn}"


def _leave(outputs: Properties, context: Context) -> None:
    target, deployed = outputs["target"], outputs["deployed"]
    target_of(target).remove(leftovers(context, target, deployed), context.report)


def _rows(new: Properties) -> tuple[dict[str, Any], list[ClientRow]]:
    """Return the rows as a reviewer reads them, by what stands behind the fingerprint; and those that are known."""
    clients = [row for name, identity in new["relay_clients"].items() for row in accepted_clients(name, identity)]
    clients += [_extra_client(name, identity) for name, identity in new.get("extra_relay_clients", {}).items()]
    rows: dict[str, Any] = {client.value: client.fingerprint_sha256 for client in clients}
    for name, roster in new.get("rosters", {}).items():
        rows[f"roster {name}"] = roster["description"]
        clients += [] if is_unknown(roster["accepted_rows"]) else parse_accepted_rows(roster["accepted_rows"])
    return rows, clients


def _extra_client(name: str, identity: Mapping[str, str]) -> ClientRow:
    not_after = parse_instant(identity["not_after"]) if "not_after" in identity else None
    return ClientRow(identity["fingerprint_sha256"], name, not_after=not_after)


def _row_problems(clients: list[ClientRow]) -> list[Problem]:
    known = [client for client in clients if not is_unknown(client.fingerprint_sha256)]
    return [problem.below("relay_clients") for problem in problems_of_client_rows(known)]


def _content(host: HostDeclaration, new: Properties, clients: list[ClientRow], context: Context) -> Any:
    """Render everything and keep it for this run; return digests, or unknown while a certificate is still to come."""
    sources = [new["chains"], new["roots"], new["relay_clients"], new.get("rosters", {})]
    if contains_unknown(sources):
        return UNKNOWN
    prepared = prepare(
        host,
        chains=new["chains"],
        roots=new["roots"],
        clients=tuple(clients),
        config_directory=new["target"]["config_directory"],
        now=context.now,
    )
    context.parsed[_memo(context)] = prepared
    occupy(context, new["target"], prepared)
    return manifest((*prepared.entries, *prepared.chroot))
