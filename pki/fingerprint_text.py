"""Read a SHA-256 fingerprint as people and programs write it."""

import re

from postseal_core.wording import shown

__all__ = ["parse_fingerprint_sha256"]

_PREFIX = re.compile(r"\s*sha-?256(?:\s+fingerprint)?\s*[=:]", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9A-F]{64}")
_HOW_TO_GET_ONE = "`openssl x509 -in CERTIFICATE -noout -fingerprint -sha256` prints one"


def parse_fingerprint_sha256(text: str) -> str:
    """Return a SHA-256 fingerprint in colon form, whichever common way it is written.

    Read are upper and lower case, with and without colons, after `sha256:`, `SHA256 Fingerprint=` or nothing, with
    blanks around. Whether any certificate has this fingerprint is not checked.

    Raises:
        ValueError: anything else; the message says how to get a fingerprint.
    """
    prefix = _PREFIX.match(text)
    digits = text[prefix.end() if prefix else 0 :].strip()
    pairs = digits.split(":") if ":" in digits else re.findall("..?", digits)
    digest = "".join(pairs).upper()
    if not _DIGEST.fullmatch(digest) or any(len(pair) != 2 for pair in pairs):  # noqa: PLR2004  # hex digits of a byte
        raise ValueError(
            f"got {shown(text)}, expected a SHA-256 fingerprint: 32 pairs of hex digits; {_HOW_TO_GET_ONE}"
        )
    return ":".join(pairs).upper()
