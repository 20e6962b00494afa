"""Typed face of the resource type `Deployment`: what a program passes. No logic."""

from typing import Any, NotRequired, TypedDict

import pulumi

__all__ = ["Chain", "Deployment", "DeploymentArgs", "RelayClientIdentity", "Roster"]


class Chain(TypedDict):
    """A certificate that the host uses, with its key; `description` is the line a reviewer reads for it."""

    description: pulumi.Input[str]
    private_key_pem: pulumi.Input[str]
    chain_pem: pulumi.Input[str]


class RelayClientIdentity(TypedDict):
    """A client that may relay, as its certificate resource describes it; the resource decides which rows that makes."""

    match: str
    generation: pulumi.Input[int]
    not_after: pulumi.Input[str]
    fingerprint_sha256: pulumi.Input[str]
    public_key_fingerprint_sha256: pulumi.Input[str]
    previous: pulumi.Input[list[dict[str, Any]]]
    revoked_at: pulumi.Input[str]


class Roster(TypedDict):
    """The clients of a roster: ready rows, and the line a reviewer reads for them."""

    description: pulumi.Input[str]
    accepted_rows: pulumi.Input[str]


class DeploymentArgs(TypedDict):
    """One host: its declaration (plain), the target, and everything that comes from certificates.

    `target`: `kind` (directory, local), `path`. `extra_relay_clients`: certificates from elsewhere by name,
    their `fingerprint_sha256` and, if known, `not_after`. `roots`: certificates of trusted authorities in PEM by name.
    `withdrawal`: see `pki.rollover.problems_of_withdrawal`; checked, not stored.
    """

    declaration: dict[str, Any]
    target: dict[str, str]
    chains: dict[str, Chain]
    roots: dict[str, pulumi.Input[str]]
    relay_clients: dict[str, RelayClientIdentity]
    rosters: NotRequired[dict[str, Roster]]
    extra_relay_clients: NotRequired[dict[str, dict[str, str]]]
    withdrawal: NotRequired[dict[str, Any]]


class Deployment(pulumi.CustomResource):
    """One Postfix host brought to its declared configuration."""

    def __init__(self, resource_name: str, args: DeploymentArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("postseal:index:Deployment", resource_name, {**args}, opts)
