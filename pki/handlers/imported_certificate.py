"""The resource `ImportedCertificate`: a certificate that somebody else signed for a key of ours."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from cryptography import x509

from pki.fingerprint import certificate_fingerprint_sha256, public_key_fingerprint_sha256
from pki.keys import PublicKey, load_private_key
from pki.verification import chain_pem, load_chain, problems_of_imported_chain
from postseal_core.errors import Problem
from postseal_core.instants import format_instant
from postseal_core.plugin.handler import Checked, CheckRequest, Context, Created, HandlerBase
from postseal_core.values import Properties, is_unknown

__all__ = ["ImportedCertificateHandler"]

_DEFAULT_RENEW_BEFORE_HOURS = 30 * 24


class ImportedCertificateHandler(HandlerBase):
    """Checks a chain before anything uses it; nothing is issued here."""

    type_token: ClassVar[str] = "postseal:index:ImportedCertificate"

    def check(self, request: CheckRequest, context: Context) -> Checked:
        """Verify that the chain fits the key, the names and the clock."""
        new = request.new
        chain = load_chain(new["chain_pem"], what="chain_pem")
        inputs: dict[str, Any] = {name: new[name] for name in ("name", "dns_names")}
        inputs |= _described(chain, new.get("renew_before_hours", _DEFAULT_RENEW_BEFORE_HOURS))
        problems = _problems(new, chain, context.now)
        if problems:
            return Checked({}, tuple(problems))
        inputs["chain"] = context.material.put(chain_pem(chain))
        return Checked(inputs)

    def create(self, inputs: Properties, context: Context, *, is_preview: bool) -> Created:
        """Return the chain with what is known of it; the same in a preview, for all of it is known."""
        del is_preview
        pem = context.material.get(inputs["chain"])
        outputs = {name: value for name, value in inputs.items() if name != "chain"}
        leaf = chain_pem(load_chain(pem, what="chain_pem")[:1])
        return Created(inputs["name"], outputs | {"chain_pem": pem, "certificate_pem": leaf})

    def update(
        self,
        id: str,
        old_outputs: Properties,
        inputs: Properties,
        context: Context,
        *,
        is_preview: bool,
    ) -> dict[str, Any]:
        """Take the chain that is declared now."""
        return self.create(inputs, context, is_preview=is_preview).outputs


def _problems(new: Properties, chain: list[x509.Certificate], now: datetime) -> list[Problem]:
    key_pem = new["private_key_pem"]
    # A key that is made in this very run cannot be the one that was signed; `up` says so once it is known.
    holder = chain[0] if is_unknown(key_pem) else load_private_key(key_pem, what="private_key_pem")
    public_key = cast("PublicKey", holder.public_key())
    return problems_of_imported_chain(chain, public_key=public_key, dns_names=new["dns_names"], now=now)


def _described(chain: list[x509.Certificate], renew_before_hours: int) -> dict[str, Any]:
    leaf = chain[0]
    return {
        "subject": leaf.subject.rfc4514_string(),
        "issuer": leaf.issuer.rfc4514_string(),
        "serial_number": f"{leaf.serial_number:x}",
        "not_before": format_instant(leaf.not_valid_before_utc),
        "not_after": format_instant(leaf.not_valid_after_utc),
        "renew_at": format_instant(leaf.not_valid_after_utc - timedelta(hours=renew_before_hours)),
        "fingerprint_sha256": certificate_fingerprint_sha256(leaf),
        "public_key_fingerprint_sha256": public_key_fingerprint_sha256(leaf),
    }
