"""What the stack file may say about a server's and about a client's certificate."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from pki.revocation import REVOCATION_REASONS
from postseal.stack.field_types import (
    Count,
    Flag,
    KeyAlgorithmWord,
    PathText,
    PemText,
    Section,
    Text,
    Texts,
)
from postseal.stack.lifetime_config import LifetimeSection

__all__ = ["ClientSection", "Pkcs12Section", "ServerSection", "ThirdPartySection"]


def _expanded_pkcs12(value: Any) -> Any:
    """Return `{profile: modern}` for the short form `modern`."""
    return {"profile": value} if isinstance(value, str) else value


def _revocation_reason(value: str) -> str:
    if value not in REVOCATION_REASONS:
        raise ValueError(f"got {value[:40]!r}, expected one of {', '.join(REVOCATION_REASONS)}")
    return value


class ThirdPartySection(Section):
    """A server certificate that somebody else signs; without a chain there is a key and a request only, so far.

    The chain is the leaf, then its intermediates, as text or in a file beside the program.
    """

    signed_chain_pem: PemText | None = None
    signed_chain_file: PathText | None = None


class ServerSection(Section):
    """A server's certificate, signed by an authority of this stack, by itself, or by a third party."""

    authority: Text | None = None
    common_name: Text | None = None
    organization: Text = ""
    dns_names: Texts = ()
    key_algorithm: KeyAlgorithmWord | None = None
    lifetime: LifetimeSection | None = None
    ip_addresses: Texts = ()
    self_signed: Flag = False
    third_party: ThirdPartySection | None = None
    also_client: Flag = False


class Pkcs12Section(Section):
    """An archive to hand out; without `passphrase_secret` a passphrase is generated."""

    profile: Literal["modern", "legacy"] = "modern"
    passphrase_secret: Text | None = None


class ClientSection(Section):
    """A client's certificate: of a person (`email`), of a host (`dns_names`), or of both.

    `take_over_from` names the roster that has the client until now.
    """

    authority: Text | None = None
    common_name: Text | None = None
    organization: Text = ""
    organizational_unit: Text = ""
    locality: Text = ""
    state_or_province: Text = ""
    country: Text = ""
    dns_names: Texts = ()
    key_algorithm: KeyAlgorithmWord | None = None
    lifetime: LifetimeSection | None = None
    email: Text | None = None
    match: Literal["certificate", "public_key"] = "certificate"
    confirm: Flag = False
    confirmed_generation: Count = 0
    revoke: Annotated[Text, AfterValidator(_revocation_reason)] | None = None
    issue_again: Flag = False
    pkcs12: Annotated[Pkcs12Section, BeforeValidator(_expanded_pkcs12)] | None = None
    take_over_from: Text | None = None
