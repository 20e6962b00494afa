"""Key material in the plugin's memory: put there by Check, taken out by Create and Update of the same run."""

from typing import Any

from cryptography import x509

from pki.fingerprint import public_key_fingerprint_sha256
from pki.issuing import Issuer
from pki.keys import PrivateKey, load_private_key
from pki.verification import load_chain
from postseal_core.plugin.handler import Context
from postseal_core.values import UNKNOWN, Properties, is_unknown

__all__ = ["hold_issuer", "hold_key", "issuer_chain", "issuer_of", "known_issuer_chain"]


def hold_key(new: Properties, context: Context) -> dict[str, Any]:
    """Put a key that was handed in into memory; the inputs keep the digest of its public half."""
    pem = new.get("private_key_pem")
    if pem is None:
        return {}
    if is_unknown(pem):
        return {"private_key": UNKNOWN}
    reference = _key_reference(pem, "private_key_pem", context)
    held = {"private_key": reference}
    if "adopt_certificate_pem" in new:
        held["adopted_certificate"] = context.material.put(new["adopt_certificate_pem"])
    return held


def hold_issuer(new: Properties, context: Context) -> dict[str, Any]:
    """Put the issuer's key and chain into memory; the inputs keep its name, generation and the key's digest.

    In a preview that renews the issuer its key is known and its chain is not: what it signed stays as it is.
    """
    if "issuer_name" not in new:
        return {"issuer": "itself"}
    issuer = f"{new['issuer_name']} generation {new['issuer_generation']}{new.get('issuer_below', '')}"
    if is_unknown(new["issuer_private_key_pem"]):
        return {"issuer": issuer, "issuer_key": UNKNOWN}
    reference = _key_reference(new["issuer_private_key_pem"], "issuer_private_key_pem", context)
    if not is_unknown(new["issuer_chain_pem"]):
        context.material.keep(f"chain of {issuer}", new["issuer_chain_pem"])
    return {"issuer": issuer, "issuer_key": reference}


def _key_reference(pem: str, what: str, context: Context) -> str:
    """Return the digest of a key's public half: it stays the same when only the PEM is written differently."""
    memo = f"reference {context.material.put(pem)}"
    if memo not in context.parsed:
        key = load_private_key(pem, what=what)
        reference = "sha256:" + public_key_fingerprint_sha256(key.public_key()).replace(":", "").lower()
        context.parsed[memo], context.parsed[reference] = reference, key
        context.material.keep(reference, pem)
    return str(context.parsed[memo])


def issuer_of(inputs: Properties, context: Context) -> tuple[Issuer | None, list[x509.Certificate]]:
    """Return who signs, with the chain above; nobody and nothing for what signs itself."""
    if "issuer_key" not in inputs:
        return None, []
    memo = f"issuer {inputs['issuer']} {inputs['issuer_key']}"
    if memo not in context.parsed:
        context.material.get(inputs["issuer_key"])
        key: PrivateKey = context.parsed[inputs["issuer_key"]]
        context.parsed[memo] = Issuer(issuer_chain(inputs, context)[0], key)
    return context.parsed[memo], issuer_chain(inputs, context)


def known_issuer_chain(inputs: Properties, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; empty where a preview does not know it yet."""
    return issuer_chain(inputs, context) if f"chain of {inputs['issuer']}" in context.material else []


def issuer_chain(inputs: Properties, context: Context) -> list[x509.Certificate]:
    """Return the chain of the issuer, issuer first; raise PostsealError where it was not handed in during this run."""
    memo = f"chain {inputs['issuer']}"
    if memo not in context.parsed:
        context.parsed[memo] = load_chain(context.material.get(f"chain of {inputs['issuer']}"), what="issuer")
    chain: list[x509.Certificate] = context.parsed[memo]
    return chain
