"""What a program or stack file says of an authority that somebody else signs, slot by slot."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pki.authority_request import PurposeWord
from pki.rollover import Slots
from postseal_core.errors import Problem

__all__ = ["ThirdParty"]


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """An authority's key is here, and somebody else signs its certificate.

    `signed_chains_pem`: by the number of the slot, what the signer sent, in PEM or PKCS#7; a slot that is not there
    waits. `roots_pem`: the roots above, for trust alone. `extended_key_usage`: usages that the request asks for; none
    is no limit.
    """

    signed_chains_pem: Mapping[int, str] = field(default_factory=dict)
    roots_pem: str = ""
    extended_key_usage: tuple[PurposeWord, ...] = ()

    def is_waiting(self, slots: Slots) -> bool:
        """Whether the slot that signs has no certificate yet, so that nothing can be issued."""
        return slots.active in self.unanswered(slots)

    def unanswered(self, slots: Slots) -> frozenset[int]:
        """Return the slots that have no certificate yet."""
        return frozenset(slots.numbers) - self.signed_chains_pem.keys()

    def problems(self, slots: Slots) -> Iterator[Problem]:
        """Report answers for slots that are not declared, and slots that cannot do their part."""
        answered = self.signed_chains_pem
        # Whoever trusts the root believes a stolen key until the root's keeper has revoked its certificate.
        if slots.distrusted or slots.revoke_retiring:
            yield Problem(
                "slots",
                "what somebody else signed cannot be distrusted or revoked here: ask the root's keeper to revoke it, "
                "let another slot sign, and take the root out of what hosts trust if nobody can",
            )
        for number in answered:
            if number not in slots.numbers:
                declared = ", ".join(map(str, sorted(slots.numbers)))
                yield Problem(
                    "signed_chain", f"has an answer for slot {number}, and declared are {declared}: remove it"
                )
        if answered and slots.active not in answered:
            yield Problem(
                "signed_chain",
                f"slot {slots.active} is to sign, and its certificate is awaited: let it be the standby until the "
                "answer is here",
            )
        if slots.retiring is not None and slots.retiring not in answered and slots.active in answered:
            yield Problem(
                "signed_chain",
                f"the certificate of the retiring slot {slots.retiring} is missing: keep it until that slot is "
                "withdrawn",
            )
        if answered and not self.roots_pem:
            yield Problem("roots", "missing: declare the root that signed the chain; it is trusted, nothing else")
