"""Say in words why a certificate that is whole cannot be read, from what the library says of it."""

import re
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.string_types import unreadable_string_types

__all__ = ["cause_of_unreadable"]

_AS_IT_IS: Final = (
    "its bytes could not be kept, and other verifiers are as strict: have it issued anew where it was made, with the "
    "same key"
)
_ALTERED: Final = "a certificate block cannot be parsed (truncated or altered?): copy it again"
_INCOMPLETE: Final = re.compile(r"kind: (ShortData|ExtraData|InvalidLength)\b")
_PLACES: Final[tuple[tuple[str, str], ...]] = (
    ("TbsCertificate::serial", "its serial number is not written in DER"),
    ("Validity::", "a date in it is not written as RFC 5280 section 4.1.2.5 wants (with seconds, and in UTC)"),
    ("InvalidSetOrdering", "parts of a name that stand together are not in the order that DER wants"),
    ("AttributeValue::PrintableString", "a name in it is a PrintableString with characters that may not be in one"),
    ("AttributeTypeValue::", "a name in it cannot be read"),
    ('location: ["subject"]', "its subject has a value that is no text, or text that its string type does not allow"),
    ('location: ["issuer"]', "its issuer has a value that is no text, or text that its string type does not allow"),
    ("EncodedDefault", "an extension is not written in DER (it says what is the default)"),
    ("ParseError", "an extension in it is not written as RFC 5280 section 4.2.1 wants"),
)
"""What stands in an error of the library's parser, and what that means; the first that fits."""


def cause_of_unreadable(error: Exception, certificates: Sequence[x509.Certificate] = ()) -> str:
    """Return why a certificate cannot be read, and what to do.

    `certificates`: those that are whole, and of which a part cannot be read; none where the library reads none.
    """
    strange = {name for each in certificates for name in unreadable_string_types(each.public_bytes(Encoding.DER))}
    if strange:
        return (
            f"a name in it is written as {' and '.join(sorted(strange))}, with characters that cannot be read here, so "
            "its bytes could not be kept: use an authority whose name is a PrintableString, UTF8String or BMPString"
        )
    what = _in_words(error)
    return f"{what}; {_AS_IT_IS}" if what else _ALTERED


def _in_words(error: Exception) -> str:
    """Return what is strange, empty for a text that is not whole."""
    match error:
        case x509.DuplicateExtension():
            return f"the extension {error.oid.dotted_string} stands in it twice"
        case x509.InvalidVersion():
            return f"its version is {error.parsed_version + 1}, and only version 3 has extensions"
        case x509.UnsupportedGeneralNameType():
            return "an alternative name in it is an X.400 address or an EDI party name"
    text = str(error)
    if "ParseError" not in text:
        # A sentence of the library about what an extension or a date says.
        return f"it is inconsistent ({text})" if re.fullmatch(r"[A-Za-z0-9_ .,]{1,120}", text) else ""
    is_whole = '"Certificate::tbs_cert"' in text or not _INCOMPLETE.search(text)
    return next((words for mark, words in _PLACES if mark in text), "") if is_whole else ""
