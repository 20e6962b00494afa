"""The keys of the certificate sections: authorities, servers, clients, rosters, lifetimes.

Each section is its own keys, written here, and the fields of a certificate that may be said there, which follow from
`pki.fields`. A variable `ClientSection` is what is read; `ClientKeys`, its own keys, is what the type checker knows.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar

from pydantic import BeforeValidator, PlainValidator, StrictStr, create_model

from pki.authority_request import PurposeWord
from pki.declared import Said
from pki.fields import FIELDS, DeclaredCertificate, Group, SaidBy
from pki.model import FIRST_SLOT, AuthorityChange, RevocationReason
from pki.other_words import OTHER_WORDS
from pki.reading import said_in, with_fields
from pki.rollover import STANDBY_HOURS
from postseal.stack.words import (
    AnswerFiles,
    AnswerText,
    Count,
    Flag,
    Hours,
    ListNumber,
    PathText,
    PemText,
    RenewKey,
    Text,
    Texts,
    WaitHours,
    expanded,
)
from postseal_core.reading import Raw, Section
from postseal_core.wording import shown

__all__ = [
    "LIFETIME_FIELDS",
    "AdoptSection",
    "AuthorityKeys",
    "AuthoritySection",
    "CertificateKeys",
    "ClientKeys",
    "ClientSection",
    "CrlSection",
    "LifetimeSection",
    "Pkcs12Section",
    "RosterKeys",
    "RosterSection",
    "ServerKeys",
    "ServerSection",
    "SignedElsewhereSection",
    "SlotsSection",
    "StackLifetimeSection",
    "ThirdPartyClientSection",
    "ThirdPartySection",
    "said_of_lifetime",
]

S = TypeVar("S", bound=Section)

LIFETIME_FIELDS: Final[Mapping[str, str]] = {
    name: each.word for name, each in FIELDS.items() if each.group is Group.LIFETIME
}
"""Fields of a lifetime, and the key of each in the stack file."""

_POLICIES: Final = ("default", "authority", "leaf", "root", "intermediate", "server", "client")


def _made(section: type[S], fields: Mapping[str, Any]) -> type[S]:
    optional: dict[str, Any] = {name: (kind | None, None) for name, kind in fields.items()}
    made: type[S] = create_model(section.__name__, __base__=section, **optional)
    made.__doc__ = section.__doc__
    return made


def _kind_in_lifetime(name: str) -> Any:
    """Return how a field of a lifetime is read: hours as a duration, anything else as everywhere."""
    if name == "renew_key_every":
        return RenewKey
    return Hours if name.endswith("_hours") else _EVERYWHERE.model_fields[name].annotation


_EVERYWHERE: Final = with_fields(SaidBy.ALL, Section, is_grouped=False)


class _Lifetime(Section):
    """One lifetime policy; missing fields come from the next more general one."""


class _StackLifetime(Section):
    """Policies for all certificates (`default`), for a group (`authority`, `leaf`) and for a kind."""

    OTHER_WORDS = OTHER_WORDS


LifetimeSection: Final = _made(_Lifetime, {word: _kind_in_lifetime(name) for name, word in LIFETIME_FIELDS.items()})
StackLifetimeSection: Final = _made(_StackLifetime, dict.fromkeys(_POLICIES, LifetimeSection))


def said_of_lifetime(section: Section | None) -> Said:
    """Return the fields that stand in a `lifetime`."""
    if section is None:
        return Said()
    said = {name: getattr(section, word) for name, word in LIFETIME_FIELDS.items()}
    given = {name: value for name, value in said.items() if value is not None}
    return Said(DeclaredCertificate(**given), frozenset(given))


class CertificateKeys(Section):
    """Keys of every certificate section beside the certificate fields; `SAID_BY` selects those fields."""

    SAID_BY: ClassVar[SaidBy] = SaidBy.NOBODY

    lifetime: Section | None = None

    @property
    def said(self) -> Said:
        """The fields of the certificate, those of its lifetime left out."""
        return said_in(self, self.SAID_BY)


K = TypeVar("K", bound=CertificateKeys)


def _section(keys: type[K]) -> type[K]:
    """Combine section keys with the certificate fields allowed beside them."""
    return _made(with_fields(keys.SAID_BY, keys), {"lifetime": LifetimeSection})


def _expanded_crl(value: Any) -> Any:
    """Return `{}` for the short form `true`, and nothing for `false`."""
    if isinstance(value, bool):
        return {} if value else None
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"got {shown(str(value))}, expected true, or a mapping, as {{lifetime: 7d}}")
    return value


def _change(value: Any) -> AuthorityChange:
    if value not in tuple(AuthorityChange):
        raise ValueError(f"got {shown(value)}, expected one of {', '.join(AuthorityChange)}")
    return AuthorityChange(value)


def _several(value: Any) -> Any:
    """Return a single number as the list that it is short for."""
    return [value] if isinstance(value, int) and not isinstance(value, bool) else value


class AdoptSection(Section):
    """An authority that exists already: its certificate, and the secret key of the stack that holds its private key.

    The authority's other fields need not repeat what stands in the certificate. What they say otherwise is refused,
    unless it is listed in `change`. `private_key_passphrase_secret`: where the private key is encrypted.
    """

    certificate_pem: PemText
    private_key_secret: Text | None = None
    private_key_passphrase_secret: Text | None = None
    change: tuple[Annotated[AuthorityChange, PlainValidator(_change)], ...] = ()


def _reason(value: Any) -> RevocationReason:
    words = [each.value for each in RevocationReason if each]
    if value not in words:
        raise ValueError(f"got {shown(str(value))}, expected one of {', '.join(words)}")
    return RevocationReason(value)


ReasonWord = Annotated[RevocationReason, PlainValidator(_reason)]


class SlotsSection(Section):
    """Numbered keys of an authority, for a rollover in reviewed steps; `Slots` in pki/rollover.py."""

    active: Count = FIRST_SLOT
    standby: Count | None = None
    retiring: Count | None = None
    standby_for: WaitHours = STANDBY_HOURS
    cross_sign: Flag = False
    revoke_retiring: ReasonWord | None = None
    distrusted: Annotated[tuple[Count, ...], BeforeValidator(_several)] = ()


class CrlSection(Section):
    """A revocation list of the authority; missing keys have the defaults of `CrlPolicy` in pki/crl_schedule.py."""

    lifetime: Hours | None = None
    renew_before: Hours | None = None
    first_crl_number: ListNumber = 1


class SignedElsewhereSection(Section):
    """An authority that somebody else signs; until the answer is added, only key and request exist, and the rest waits.

    The chain, the authority's certificate and those above it in PEM or PKCS#7, stands here or in a file; with several
    slots in files by their numbers. `roots_pem`, `roots_file`: the root above, for trust alone.
    """

    signed_chain_pem: AnswerText | None = None
    signed_chain_file: AnswerFiles | None = None
    roots_pem: PemText | None = None
    roots_file: PathText | None = None
    extended_key_usage: tuple[PurposeWord, ...] = ()


class AuthorityKeys(CertificateKeys):
    """An authority: a root, an intermediate where `issuer` names another authority, or signed by a third party.

    `crl_urls`: where its own revocation list is; that stands in the certificates it issues, not in its own.
    """

    SAID_BY: ClassVar[SaidBy] = SaidBy.AUTHORITY

    issuer: Text | None = None
    crl_urls: Texts = ()
    protect: Flag = True
    adopt: AdoptSection | None = None
    third_party: SignedElsewhereSection | None = None
    slots: SlotsSection = SlotsSection()
    crl: Annotated[CrlSection | None, BeforeValidator(_expanded_crl)] = None


class ThirdPartySection(Section):
    """A server certificate that a third party signs; until its chain is added, only key and request exist.

    The chain, the leaf and its intermediates in PEM or PKCS#7, stands here or in a file beside the program.
    """

    signed_chain_pem: AnswerText | None = None
    signed_chain_file: PathText | None = None


class ThirdPartyClientSection(Section):
    """A certificate that somebody else signed, for a host to present: its chain, here or in a file, and its key."""

    signed_chain_pem: AnswerText | None = None
    signed_chain_file: PathText | None = None
    private_key_secret: Text | None = None


class ServerKeys(CertificateKeys):
    """A server's certificate, signed by an authority of this stack, by itself, or by a third party.

    `hand_out`: its files are written, for a service that is none of the stack's hosts.
    """

    SAID_BY: ClassVar[SaidBy] = SaidBy.SERVER

    authority: Text | None = None
    self_signed: Flag = False
    third_party: ThirdPartySection | None = None
    also_client: Flag = False
    hand_out: Flag = False


class Pkcs12Section(Section):
    """An archive to hand out; without `passphrase_secret` a passphrase is generated."""

    profile: Literal["modern", "legacy"] = "modern"
    passphrase_secret: Text | None = None


class ClientKeys(CertificateKeys):
    """A client's certificate: of a person (`email`), of a host (`dns_names`), or of both.

    `request_pem` or `request_file`: a certificate request, for a key that stays on the client's device.
    `take_over_from` names the roster that has the client until now. `third_party`: key and certificate were made
    elsewhere, and hosts present them; nothing else is said then.
    """

    SAID_BY: ClassVar[SaidBy] = SaidBy.CLIENT

    authority: Text | None = None
    request_pem: StrictStr | None = None
    request_file: PathText | None = None
    pkcs12: Annotated[Pkcs12Section, expanded("profile")] | None = None
    take_over_from: Text | None = None
    third_party: ThirdPartyClientSection | None = None


def _expanded_hand_out(value: Any) -> Any:
    """Return the section of the short forms `true` and `false`."""
    if isinstance(value, bool):
        return {"all_clients": value}
    if value is not None and not isinstance(value, Mapping):
        raise ValueError(f"got {shown(str(value))}, expected true, false, or {{all_clients: true, take_over: [files]}}")
    return value


class HandOutSection(Section):
    """The clients of a roster that are handed out: `all_clients`, none, or by default those with an archive.

    `take_over`: files there that are not ours and that ours replace.
    """

    all_clients: Flag | None = None
    take_over: tuple[PathText, ...] = ()


class RosterKeys(CertificateKeys):
    """A roster: clients listed here or in a file, and defaults for all of them.

    `clients` are read by `postseal.stack.roster_rows`. `take_over` names those that are in `clients` until now.
    """

    SAID_BY: ClassVar[SaidBy] = SaidBy.ROSTER

    authority: Text | None = None
    clients: Mapping[str, Raw | None] | None = None
    file: PathText | None = None
    hand_out: Annotated[HandOutSection, BeforeValidator(_expanded_hand_out)] = HandOutSection()
    take_over: Texts = ()


AuthoritySection: Final = _section(AuthorityKeys)
ServerSection: Final = _section(ServerKeys)
ClientSection: Final = _section(ClientKeys)
RosterSection: Final = _section(RosterKeys)
