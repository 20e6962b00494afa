"""The resource `ImportedCertificate`: a certificate that a third party signed for a key of ours."""

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar, cast

from cryptography import x509

from pki.certificate.issuance import identity_of
from pki.imported_certificate.records import (
    Described,
    ImportedCertificateArgs,
    ImportedCertificateInputs,
    ImportedCertificateState,
)
from pki.key_material import load_key
from pki.keys import PublicKey
from pki.model import Validity
from pki.third_party_answer import problems_of_missing_issuer, read_answer
from pki.verification import chain_pem, load_chain, problems_of_imported_chain
from postseal_core.errors import refuse
from postseal_core.plugin.handler import CheckRequest, Context, HandlerBase
from postseal_core.values import is_unknown

__all__ = ["ImportedCertificateHandler"]


class ImportedCertificateHandler(
    HandlerBase[ImportedCertificateArgs, ImportedCertificateInputs, ImportedCertificateState]
):
    """Checks a chain before anything uses it; nothing is issued here."""

    type_tokens: ClassVar[tuple[str, ...]] = (
        "postseal:index:ImportedCertificate",
        "postseal:index:ThirdPartyClientCertificate",
    )
    args = ImportedCertificateArgs
    inputs = ImportedCertificateInputs
    state = ImportedCertificateState

    def check(
        self, request: CheckRequest[ImportedCertificateArgs, ImportedCertificateInputs], context: Context
    ) -> ImportedCertificateInputs:
        """Verify that the chain fits the key, the names and the clock."""
        args = request.new
        chain = read_answer(args.chain_pem, what="chain_pem")
        public_key, dns_names = _public_key(args, chain, context), args.dns_names
        problems = problems_of_imported_chain(
            chain, public_key=public_key, dns_names=dns_names, now=context.now, profile=args.profile
        )
        refuse([*problems, *problems_of_missing_issuer(chain)])
        return ImportedCertificateInputs(
            described=_described(args, chain[0]), chain=context.material.put(chain_pem(chain))
        )

    def id_of(self, inputs: ImportedCertificateInputs) -> str:
        """Return the certificate's name."""
        return inputs.described.name

    def create(
        self, inputs: ImportedCertificateInputs, context: Context, *, is_preview: bool
    ) -> ImportedCertificateState:
        """Return the chain and its description; a preview knows all of it already."""
        del is_preview
        pem = context.material.get(inputs.chain)
        leaf = chain_pem(load_chain(pem, what="chain_pem")[:1])
        return ImportedCertificateState(described=inputs.described, chain_pem=pem, certificate_pem=leaf)

    def update(
        self, old: ImportedCertificateState, inputs: ImportedCertificateInputs, context: Context, *, is_preview: bool
    ) -> ImportedCertificateState:
        """Replace the stored chain by the declared one."""
        del old
        return self.create(inputs, context, is_preview=is_preview)


def _public_key(args: ImportedCertificateArgs, chain: Sequence[x509.Certificate], context: Context) -> PublicKey:
    pem = args.private_key_pem
    # A key that is made in this very run cannot be the one that was signed; `up` says so once it is known.
    holder = chain[0] if is_unknown(pem) else load_key(pem, what="private_key_pem", context=context)
    return cast("PublicKey", holder.public_key())


def _described(args: ImportedCertificateArgs, leaf: x509.Certificate) -> Described:
    validity = Validity(leaf.not_valid_before_utc, leaf.not_valid_after_utc)
    return Described(
        name=args.name,
        dns_names=args.dns_names,
        subject=leaf.subject.rfc4514_string(),
        issuer=leaf.issuer.rfc4514_string(),
        validity=validity,
        renew_at=validity.not_after - timedelta(hours=args.renew_before_hours),
        identity=identity_of(leaf),
    )
