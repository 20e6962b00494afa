"""What the stack file may say about a roster: many clients of one authority."""

from collections.abc import Mapping
from typing import Any, Literal

from postseal.stack.field_types import Flag, KeyAlgorithmWord, PathText, Section, Text, Texts
from postseal.stack.lifetime_config import LifetimeSection

__all__ = ["RosterSection"]


class RosterSection(Section):
    """Many clients, here or in a file, and what holds for each of them that does not say otherwise.

    The fields of a client are those of `pki.roster.fields.FIELDS`, the same here and in a file. `take_over` names those
    that are in `clients` until now.
    """

    authority: Text | None = None
    clients: Mapping[str, Mapping[str, Any] | None] | None = None
    file: PathText | None = None
    organization: Text = ""
    organizational_unit: Text = ""
    locality: Text = ""
    state_or_province: Text = ""
    country: Text = ""
    key_algorithm: KeyAlgorithmWord | None = None
    lifetime: LifetimeSection | None = None
    match: Literal["certificate", "public_key"] = "certificate"
    confirm: Flag = False
    pkcs12: Literal["modern", "legacy"] | None = None
    hand_out: Flag | None = None
    take_over: Texts = ()
