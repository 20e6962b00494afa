"""The resource `RequestedAuthority`: an authority whose key is here and whose certificate somebody else signs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pki.adoption import judged
from pki.authority_answer import AskedFor, IssuerName, issuer_name, problems_of_answer, problems_of_roots
from pki.certificate.issuance import identity_of
from pki.declared import declaration_of, policy_of
from pki.declared_checks import problems_of_declared
from pki.extensions import name_text
from pki.fields import DeclaredCertificate
from pki.fingerprint import certificate_fingerprint_sha256
from pki.issuing import subject_name
from pki.key_material import held_key, hold_key
from pki.keys import PublicKey
from pki.model import Profile, Validity
from pki.requested_authority.asking import carried_on, hold_carried, request_of, what_is_otherwise
from pki.requested_authority.records import (
    NOTHING_SIGNED,
    RequestedAuthorityArgs,
    RequestedAuthorityInputs,
    RequestedAuthorityState,
    SignedAuthority,
)
from pki.third_party_answer import read_answer
from pki.verification import chain_pem, load_chain
from postseal_core.errors import CertificateError, Problem, refuse
from postseal_core.instants import format_instant
from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from postseal_core.values import Maybe, is_unknown

__all__ = ["RequestedAuthorityHandler"]

_SIGNED_CHAIN: Final = "signed_chain"


@dataclass(frozen=True, slots=True)
class _Before:
    """What is in use until now, and the key that is handed in."""

    old: RequestedAuthorityInputs | None
    private_key: Maybe[str]

    @property
    def signed(self) -> SignedAuthority:
        return self.old.signed if self.old and self.old.signed else NOTHING_SIGNED

    @property
    def name(self) -> IssuerName | None:
        """How certificates from before find their issuer; None where there are none of this key."""
        is_kept = self.old and self.old.signed and self.old.private_key == self.private_key
        return IssuerName(self.signed.subject_sha256, self.signed.subject_key_identifier) if is_kept else None

    def public_key(self, certificate: x509.Certificate, context: Context) -> PublicKey:
        """Return the key that must have been signed; one that is made in this run is compared by `up`."""
        if not is_unknown(self.private_key):
            return held_key(self.private_key, context).public_key()
        try:
            return cast("PublicKey", certificate.public_key())
        except (ValueError, UnsupportedAlgorithm) as error:
            raise CertificateError(
                f"{_SIGNED_CHAIN}: was signed for a key of another kind than that of any request from here: declare "
                "the answer to the request that is handed out"
            ) from error

    def problems(self) -> Iterator[Problem]:
        """Report that the key of a certificate in use would be lost."""
        if self.old and self.old.signed and self.old.private_key != self.private_key:
            yield Problem(
                "key_algorithm",
                "this slot is in use with its key, and another one would need another certificate: leave key_algorithm "
                "as it was; a new key is a new slot (slots: {active: 1, standby: 2})",
            )


class RequestedAuthorityHandler(HandlerBase[RequestedAuthorityArgs, RequestedAuthorityInputs, RequestedAuthorityState]):
    """Makes the request, waits, and takes the answer once it fits; nothing is issued here."""

    type_tokens: ClassVar[tuple[str, ...]] = ("postseal:index:RequestedAuthority",)
    has_history: ClassVar[bool] = True
    args = RequestedAuthorityArgs
    inputs = RequestedAuthorityInputs
    state = RequestedAuthorityState

    def check(
        self, request: CheckRequest[RequestedAuthorityArgs, RequestedAuthorityInputs], context: Context
    ) -> RequestedAuthorityInputs:
        """Validate the declaration, and the answer if there is one; the certificate in use stays until another came."""
        args, old = request.new, request.old
        private_key = hold_key(args.private_key_pem, context)
        before = _Before(old, private_key)
        carried = carried_on(args)
        # What an adopted one is called stands in its certificate, whatever our own rules say of it.
        is_named = bool(args.declared.common_name) or not (carried or args.signed_chain_pem)
        problems = problems_of_declared(args.declared if is_named else judged(args.declared, ()), Profile.INTERMEDIATE)
        refuse([*problems, *_problems_of_what_is_gone(args, old), *before.problems()])
        roots = _roots(args)
        chain = _answer(args, roots, private_key, context) if args.signed_chain_pem else []
        signed = _signed(args, chain, roots, before, context) if chain else None
        awaited = _awaited(args, signed, context.now)
        if awaited:
            context.report(f"{args.name}: {awaited}")
        return RequestedAuthorityInputs(
            name=args.name,
            slot=args.slot,
            declared=args.declared,
            purposes=args.purposes,
            subject=name_text(carried.subject) if carried else _subject(args.declared),
            private_key=private_key,
            awaited=awaited,
            awaited_since=_since(awaited, old, context.now),
            signed=signed,
            chain=context.material.put(chain_pem(chain)) if chain else "",
            roots=context.material.put(chain_pem(roots)) if roots else "",
            carries_on=hold_carried(args, context),
        )

    def id_of(self, inputs: RequestedAuthorityInputs) -> str:
        """Return the name of the slot."""
        return inputs.name

    def create(
        self, inputs: RequestedAuthorityInputs, context: Context, *, is_preview: bool
    ) -> RequestedAuthorityState:
        """Sign the request with the authority's key; keep what was signed elsewhere."""
        del is_preview  # everything is known, except a request for a key that is still to be made
        chain = load_chain(context.material.get(inputs.chain), what=_SIGNED_CHAIN) if inputs.chain else []
        return RequestedAuthorityState(
            name=inputs.name,
            subject=chain[0].subject.rfc4514_string() if chain else inputs.subject,
            awaited=inputs.awaited,
            cert_request_pem=request_of(inputs, chain, context),
            certificate_pem=chain_pem(chain[:1]),
            chain_pem=chain_pem(chain),
            roots_pem=context.material.get(inputs.roots) if inputs.roots else "",
            signed=inputs.signed or NOTHING_SIGNED,
        )

    def update(
        self, old: RequestedAuthorityState, inputs: RequestedAuthorityInputs, context: Context, *, is_preview: bool
    ) -> RequestedAuthorityState:
        """Replace request and certificate by what is declared now, and tell what the signer has made otherwise."""
        chain = load_chain(context.material.get(inputs.chain), what=_SIGNED_CHAIN) if inputs.chain else []
        if otherwise := what_is_otherwise(old.certificate_pem, chain):
            context.report(f"{inputs.name}: its new certificate has other limits than the one before: {otherwise}")
        return self.create(inputs, context, is_preview=is_preview)


def _subject(declared: DeclaredCertificate) -> str:
    return subject_name(declaration_of(declared, Profile.INTERMEDIATE).subject).rfc4514_string()


def _problems_of_what_is_gone(args: RequestedAuthorityArgs, old: RequestedAuthorityInputs | None) -> Iterator[Problem]:
    if args.signed_chain_pem and not args.roots_pem:
        yield Problem(
            "roots", "missing: declare the root that signed the chain, for trust alone; hosts and clients are given it"
        )
    if old and old.signed and not args.signed_chain_pem:
        yield Problem(
            _SIGNED_CHAIN,
            "this authority is in use with the answer that was declared until now: keep it declared; for another key "
            "take another slot",
        )


def _answer(
    args: RequestedAuthorityArgs, roots: Sequence[x509.Certificate], private_key: Maybe[str], context: Context
) -> list[x509.Certificate]:
    public_key = None if is_unknown(private_key) else held_key(private_key, context).public_key()
    return read_answer(args.signed_chain_pem, what=_SIGNED_CHAIN, roots=roots, public_key=public_key)


def _roots(args: RequestedAuthorityArgs) -> list[x509.Certificate]:
    return load_chain(args.roots_pem, what="roots") if args.roots_pem else []


def _signed(
    args: RequestedAuthorityArgs,
    chain: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    before: _Before,
    context: Context,
) -> SignedAuthority:
    """Judge an answer and describe it.

    Raises:
        ConfigError: everything for which it cannot be used.
    """
    own, declaration = chain[0], declaration_of(args.declared, Profile.INTERMEDIATE)
    in_use = before.signed
    is_same = in_use.fingerprint_sha256 == certificate_fingerprint_sha256(own)
    # One in use was judged by the clock when it came: what has ended since is told where something is to be issued, and
    # must not stop a run that has nothing to do with it.
    now = max(each.not_valid_before_utc for each in chain) if is_same else context.now
    asked = AskedFor(
        declaration,
        before.public_key(own, context),
        args.purposes,
        before=None if is_same else before.name,
        subject=carried.subject if (carried := carried_on(args)) else None,
        number_before="" if is_same or in_use.issuer != own.issuer.rfc4514_string() else in_use.serial_number,
    )
    refuse([*problems_of_roots(roots, now), *problems_of_answer(chain, roots, asked, now)])
    validity, name = Validity(own.not_valid_before_utc, own.not_valid_after_utc), issuer_name(own)
    identity = identity_of(own)
    return SignedAuthority(
        issuer=own.issuer.rfc4514_string(),
        generation=in_use.generation if is_same else in_use.generation + 1,
        not_before=validity.not_before,
        not_after=validity.not_after,
        renew_at=policy_of(args.declared, Profile.INTERMEDIATE).renew_at(validity),
        fingerprint_sha256=str(identity.fingerprint_sha256),
        public_key_fingerprint_sha256=str(identity.public_key_fingerprint_sha256),
        serial_number=str(identity.serial_number),
        subject_sha256=name.subject_sha256,
        subject_key_identifier=name.subject_key_identifier,
    )


def _awaited(args: RequestedAuthorityArgs, signed: SignedAuthority | None, now: datetime) -> str:
    """Return what a person has to do now, empty for nothing."""
    request = f"{args.name}.csr.pem"
    if signed is None:
        return (
            f"waits for its certificate: have {request} signed, then declare the answer (signed_chain_file) and the "
            "root (roots_file)"
        )
    if signed.renew_at is None or signed.not_after is None or now < signed.renew_at:
        return ""
    return (
        f"its certificate ends on {format_instant(signed.not_after)} and stays in use until then: have {request} "
        "signed again (or a standby slot's, for another key), then declare the answer"
    )


def _since(awaited: str, old: RequestedAuthorityInputs | None, now: datetime) -> datetime | None:
    return (old.awaited_since if old and old.awaited_since else now) if awaited else None
