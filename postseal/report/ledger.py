"""Unpack what a `ClientRoster` keeps in one text: a line of JSON for each client, compressed, without any secret."""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping

from postseal_core.errors import CertificateError

__all__ = ["decode_ledger"]

# A ledger of 10,000 clients has about 15 MB; the limit keeps a damaged state from filling the memory.
_MAXIMUM_BYTES = 256 * 1024 * 1024


def decode_ledger(ledger_base64: str) -> tuple[Mapping[str, object], ...]:
    r"""Return one record for each client of a roster.

    `ledger_base64`: base64 (RFC 4648 section 4) of a zlib stream (RFC 1950) of JSON objects separated by `\n`; empty
    for none. In the output `ledger` the records have the keys of a `Certificate`'s outputs, in the input `clients`
    those of an entry of the roster. NOT checked: the values of the records.

    Raises:
        CertificateError: the ledger is not base64, not zlib, not JSON, or larger than 256 MiB.
    """
    try:
        lines = _inflate(base64.b64decode(ledger_base64, validate=True)).decode("utf-8").split("\n")
        records = tuple(json.loads(line) for line in lines if line)
    except (binascii.Error, zlib.error, ValueError) as error:
        raise CertificateError(f"the packed records cannot be read ({error}); run `pulumi up` to rewrite it") from error
    if not all(isinstance(record, dict) for record in records):
        raise CertificateError("a line of the packed records is no JSON object; run `pulumi up` to rewrite it")
    return records


def _inflate(packed: bytes) -> bytes:
    if not packed:
        return b""
    stream = zlib.decompressobj()
    data = stream.decompress(packed, _MAXIMUM_BYTES)
    if stream.unconsumed_tail:
        raise ValueError("it is larger than 256 MiB")
    if not stream.eof:
        raise ValueError("it is cut short")
    return data
