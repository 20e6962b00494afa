"""Authorities whose key is here and whose certificate somebody else signs: an offline, corporate or partner root."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, Unpack

import pulumi
from pydantic import Field, StrictStr

from pki.arguments import AuthorityFields, Texts
from pki.authority_request import PurposeWord
from pki.components.authority import CertificateAuthority
from pki.components.declared_authority import AdoptedAuthority, read_authority
from pki.components.field_texts import describes_fields
from pki.lifetime import LifetimePolicy
from pki.model import FIRST_SLOT, NameConstraints
from pki.requested_authority.resource import RequestedAuthority
from pki.rollover import Slots
from pki.third_party import ThirdParty
from postseal_core.arguments import Arguments
from postseal_core.errors import Problem
from postseal_core.reading import Section

__all__ = ["ThirdPartyAuthority"]

_WORDS: Final = ", ".join(PurposeWord)


def _by_slot(value: Any) -> Any:
    """Return the answers by the text of a slot's number; a single text is that of the first one."""
    if isinstance(value, Mapping):
        return {str(number): each for number, each in value.items()}
    return {str(FIRST_SLOT): value} if isinstance(value, str) else value


class _OwnArguments(Section):
    """Plain arguments that are no fields of the certificate."""

    signed_chain_pem: dict[int, StrictStr] = Field(default_factory=dict)
    roots_pem: StrictStr = ""
    extended_key_usage: tuple[StrictStr, ...] = ()


@describes_fields(AuthorityFields)
class ThirdPartyAuthority(CertificateAuthority):
    """An authority for a key of ours that somebody else signs, in two steps; the root's key is never here.

        ca = pki.ThirdPartyAuthority("issuing", common_name="Example Issuing CA", path_length=0)

    First: `pulumi up` without `signed_chain_pem` makes the key and a request, which `HandOut` writes to a file; what is
    declared below it waits. Second: `pulumi up` with `signed_chain_pem` and `roots_pem` checks the answer against the
    key, the declaration and the clock, and issues everything. Its renewal is the same: the report and each preview ask
    for the next certificate from `renew_at` on, and the one in use stays until that is declared. A new key is a standby
    slot with a request of its own.

    Its attributes are those of a `CertificateAuthority`, and it is protected as one. `path_length=0` is what most need:
    without it the request asks for no limit.

    Args:
        name: Name of the resource, of its key and of its files.
        signed_chain_pem: What the signer sent: the certificate and those above it, in PEM or PKCS#7, in any order. With
            several slots by their numbers, as `{1: pem, 2: pem}`. Default: none, it waits.
        roots_pem: The root above, in PEM; trusted, nothing else. Needed as soon as there is an answer. Default: none.
        extended_key_usage: Usages that the request asks for, and that limit what it can issue (RFC 5280 section
            4.2.1.12): `serverAuth`, `clientAuth`. Default: none is asked for, which is no limit.
        name_constraints: Which names the request asks for (RFC 5280 section 4.2.1.10). Default: any.
        crl_urls: Where its own `RevocationList` can be fetched, as of a `CertificateAuthority`. Default: none.
        lifetime: When the next certificate is asked for; how long one is valid, the signer decides. Default: after two
            thirds of it.
        slots: Which of its keys signs, for a rollover to another key. Default: the first one, and no other.
        adopt: Key and certificate that are there already, for the first slot, and `roots_pem` beside it. Its renewal is
            a `signed_chain_pem`. Default: the key is made.
        opts: Options of Pulumi; what they say goes before the protection. Default: none.
        **fields: The fields that the request asks for; `AuthorityFields` says what each means.

    Attributes:
        cert_request_pem: The request of the slot that signs, in PEM (PKCS#10, RFC 2986).
        requests_pem: The request of every slot, by its name.

    Raises:
        ConfigError: everything that is wrong with the arguments, before anything is registered. An answer that does not
            fit fails the preview.
    """

    def __init__(
        self,
        name: str,
        *,
        signed_chain_pem: str | Mapping[int, str] | None = None,
        roots_pem: str | None = None,
        extended_key_usage: "list[PurposeWord | Literal['serverAuth', 'clientAuth']] | tuple[str, ...]" = (),
        name_constraints: NameConstraints | None = None,
        crl_urls: Texts = (),
        lifetime: LifetimePolicy | None = None,
        slots: Slots | None = None,
        adopt: AdoptedAuthority | None = None,
        opts: pulumi.ResourceOptions | None = None,
        **fields: Unpack[AuthorityFields],
    ) -> None:
        arguments = Arguments("authorities", name, opts)
        given = {
            "signed_chain_pem": _by_slot(signed_chain_pem),
            "roots_pem": roots_pem,
            "extended_key_usage": extended_key_usage,
        }
        own = arguments.section({key: each for key, each in given.items() if each is not None}, _OwnArguments)
        arguments.add(_problems_of_words(own.extended_key_usage))
        declared = read_authority(
            arguments,
            fields,
            name=name,
            name_constraints=name_constraints,
            crl_urls=crl_urls,
            lifetime=lifetime,
            slots=slots,
            adopt=adopt,
            is_root=False,
        )
        words = tuple(map(PurposeWord, own.extended_key_usage))
        answers = ({FIRST_SLOT: adopt.certificate_pem} if adopt else {}) | own.signed_chain_pem
        third_party = ThirdParty(answers, own.roots_pem, words)
        arguments.add(third_party.problems(declared.slots))
        arguments.refuse()
        # Nobody has to be given an intermediate in advance: it comes with every chain.
        immediate = replace(declared.slots, standby_hours=0)
        self._roots_pem = own.roots_pem
        self._declare(name, replace(declared, slots=immediate, third_party=third_party), None, opts)

    @property
    def trusted_pem(self) -> Mapping[str, pulumi.Output[str]]:
        """The roots above, by a name for readers; none while they are not declared."""
        return {f"{self.name}-root": pulumi.Output.from_input(self._roots_pem)} if self._roots_pem else {}

    @property
    def requests_pem(self) -> Mapping[str, pulumi.Output[str]]:
        """The request of every slot, by its name."""
        slots = ((each.name, each.certificate) for each in self.slots.values())
        return {name: each.cert_request_pem for name, each in slots if isinstance(each, RequestedAuthority)}

    @property
    def cert_request_pem(self) -> pulumi.Output[str]:
        """The request of the slot that signs."""
        return self.requests_pem[self.active.name]


def _problems_of_words(words: tuple[str, ...]) -> Iterator[Problem]:
    for index, word in enumerate(words):
        if word not in tuple(PurposeWord):
            yield Problem(f"extended_key_usage[{index}]", f"got {word!r}, expected one of {_WORDS}")
