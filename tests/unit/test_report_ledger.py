"""Decoding the ledger of a roster."""

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.report.ledger import decode_ledger
from postseal_core.errors import CertificateError
from postseal_core.packing import pack_records
from tests.support.stack_state import ledger

RECORDS = st.lists(st.dictionaries(st.text(max_size=8), st.text() | st.integers() | st.none(), max_size=4), max_size=8)


@given(RECORDS)
def test_what_was_packed_comes_out_again(records: list[dict[str, Any]]) -> None:
    """Every list of JSON objects survives, whatever characters are in it."""
    assert list(decode_ledger(ledger(records))) == records


@given(RECORDS)
def test_what_the_provider_packs_can_be_unpacked(records: list[dict[str, Any]]) -> None:
    """Provider and report agree on how many records become one text."""
    assert list(decode_ledger(pack_records(records))) == records


def test_an_empty_ledger_has_no_clients() -> None:
    """No text at all means no clients."""
    assert decode_ledger("") == ()


def packed(data: bytes) -> str:
    """Return data as a ledger packs it."""
    return base64.b64encode(zlib.compress(data)).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no base64!", "cannot be read"),
        (base64.b64encode(b"not zlib").decode(), "cannot be read"),
        (base64.b64encode(zlib.compress(b'{"name": "a"}' * 99)[:-6]).decode(), "cut short"),
        (packed(b"{"), "cannot be read"),
        (packed(b"\xff"), "cannot be read"),
        (packed(json.dumps([1]).encode()), "no JSON object"),
    ],
)
def test_damaged_ledgers_are_refused_with_a_reason(text: str, words: str) -> None:
    """A ledger that is not complete is an error, never a shorter list of clients."""
    with pytest.raises(CertificateError, match=words):
        decode_ledger(text)


def test_a_ledger_that_would_fill_the_memory_is_refused() -> None:
    """A few kilobytes that unfold to more than 256 MiB are not unfolded."""
    compressor = zlib.compressobj()
    data = b"".join(compressor.compress(b" " * 2**24) for _ in range(17)) + compressor.flush()
    with pytest.raises(CertificateError, match="larger than 256 MiB"):
        decode_ledger(base64.b64encode(data).decode())
