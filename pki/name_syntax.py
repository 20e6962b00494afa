"""Say what is wrong with one name: host, mailbox, address or URI, as it may stand in a certificate.

Every `fault_of_...` returns None for a good name, else the rest of a sentence: what was found, what is expected and
how to fix it. Nothing is looked up: whether a name exists is not checked. `is_host_covered` compares names.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from postseal_core.wording import shown

__all__ = [
    "fault_of_alternative_host",
    "fault_of_email",
    "fault_of_host",
    "fault_of_ip_address",
    "fault_of_text",
    "fault_of_uri",
    "host_of_uri",
    "is_host_covered",
    "path_of_name",
    "to_a_labels",
    "word_of_names",
]

_Rule = tuple[Callable[[str], bool], str]

_MAX_HOST = 253  # RFC 1035 section 2.3.4: 255 octets on the wire
_MAX_LOCAL_PART = 64  # RFC 5321 section 4.5.3.1.1
_MAX_MAILBOX = 254  # RFC 5321 section 4.5.3.1.3: a path of 256 with its two angle brackets

_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_AUTHORITY = re.compile(r"[^:]+://(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*)(?::[0-9]*)?(?:[/?#].*)?")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANK_CATEGORIES = frozenset({"Co", "Zs"})
_JOINERS = frozenset({"\u200c", "\u200d"})


def _first_fault(rules: Sequence[_Rule], text: str) -> str | None:
    for is_broken_by, sentence in rules:
        if is_broken_by(text):
            return sentence.format(got=shown(text), a_label=to_a_labels(text[:_MAX_HOST]))
    return None


def to_a_labels(host: str) -> str:
    """Return a host name in lower case and in its A-label form (RFC 5891 section 4.4), good or not."""
    # The codec `idna` would map by IDNA 2003, which is outdated.
    labels = re.split("[.。．｡]", unicodedata.normalize("NFC", host.lower()))  # noqa: RUF001
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def _is_broken_a_label(label: str) -> bool:
    """Whether a label has hyphens at places 3 and 4, which is reserved for A-labels, without being one (RFC 5890).

    One decodes to a label that is not all ASCII, holds no character that nobody sees, and becomes itself again. Which
    other characters a label may have, a table that grows with Unicode says; that is not checked.
    """
    if label[2:4] != "--" or label[:2].lower() != "xn":
        return label[2:4] == "--"
    try:
        u_label = label[4:].lower().encode("ascii").decode("punycode")
        is_itself = not u_label.isascii() and u_label.encode("punycode").decode() == label[4:].lower()
    except UnicodeError:
        return True
    return not is_itself or any(_is_unseen(each) for each in u_label)


def _is_unseen(character: str) -> bool:
    """Whether no label may hold a character: one that nobody sees, but for the two joiners of RFC 5892 appendix A."""
    return character not in _JOINERS and unicodedata.category(character) in _UNSEEN_CATEGORIES | _BLANK_CATEGORIES


_HOST_RULES: Sequence[_Rule] = (
    (lambda host: not host, "is empty, expected a host name such as 'mx1.example.org'"),
    (lambda host: not host.isascii(), "got {got}, expected A-labels (RFC 5890): write '{a_label}'"),
    (lambda host: host.endswith("."), "got {got}, expected a name without the final dot: leave the dot out"),
    (lambda host: len(host) > _MAX_HOST, f"got {{got}}, expected at most {_MAX_HOST} characters"),
    (lambda host: "" in host.split("."), "got {got}, expected no empty label: remove the extra dot"),
    (lambda host: "*" in host, "got {got}, expected one host: a wildcard cannot stand here, name each host"),
    (
        lambda host: not all(_LABEL.fullmatch(label) for label in host.split(".")),
        (
            "got {got}, expected labels of 1 to 63 letters, digits and inner hyphens (RFC 5280 section 4.2.1.6):"
            " correct the name"
        ),
    ),
    (
        lambda host: any(_is_broken_a_label(label) for label in host.split(".")),
        (
            "got {got}, expected 'xn--' and a valid encoding where a label has hyphens at places 3 and 4: correct the"
            " A-label"
        ),
    ),
    (
        lambda host: host.rpartition(".")[2].isdigit(),
        "got {got}, expected a host name: list an address under ip_addresses",
    ),
)

_WILDCARD_RULES: Sequence[_Rule] = (
    (
        lambda host: "*" in host.removeprefix("*."),
        "got {got}, expected a wildcard only as the whole leftmost label, as in '*.example.org' (RFC 9525 section 6.3)",
    ),
    # OpenSSL, and so Postfix, never matches a wildcard with fewer than two labels behind it.
    (lambda host: host.startswith("*.") and "." not in host[2:], "got {got}, expected two labels after the wildcard"),
)

_LOCAL_PART_RULES: Sequence[_Rule] = (
    (
        lambda local: not local.isascii(),
        (
            "got {got} before the @, expected ASCII: other local parts need another kind of name (RFC 9598) that few"
            " programs read, use an ASCII address of the same mailbox"
        ),
    ),
    (
        lambda local: len(local) > _MAX_LOCAL_PART,
        f"got {{got}} before the @, expected at most {_MAX_LOCAL_PART} octets",
    ),
    (
        lambda local: not _DOT_ATOM.fullmatch(local),
        (
            "got {got} before the @, expected letters, digits, single dots and !#$%&'*+/=?^_`{{|}}~- unquoted"
            " (RFC 5321 section 4.1.2): use another address of the same mailbox"
        ),
    ),
)

_MAILBOX_RULES: Sequence[_Rule] = (
    (lambda address: address.count("@") != 1, "got {got}, expected one mailbox with one @, as in 'alice@example.org'"),
    (lambda address: len(address) > _MAX_MAILBOX, f"got {{got}}, expected at most {_MAX_MAILBOX} characters"),
)

_URI_RULES: Sequence[_Rule] = (
    (
        lambda uri: not _URI.fullmatch(uri),
        (
            "got {got}, expected an absolute URI in ASCII, as in 'https://example.org/a' (RFC 5280 section 4.2.1.6):"
            " write other characters as %XX"
        ),
    ),
)

_TEXT_RULES: Sequence[_Rule] = (
    (
        lambda text: any(unicodedata.category(character) in _UNSEEN_CATEGORIES for character in text),
        "got {got}, expected no control or invisible characters: remove them",
    ),
    (lambda text: text != text.strip(), "got {got}, expected no blanks at either end: remove them"),
)


def fault_of_text(text: str) -> str | None:
    """Say what is wrong with a piece of a distinguished name: invisible characters and blanks at the ends."""
    return _first_fault(_TEXT_RULES, text)


def fault_of_host(host: str) -> str | None:
    """Say what is wrong with a DNS host name (RFC 5280 section 4.2.1.6, RFC 1034 section 3.5); upper case is fine."""
    return _first_fault(_HOST_RULES, host)


def fault_of_alternative_host(host: str, *, has_wildcards: bool) -> str | None:
    """Say what is wrong with a host name, or, where `has_wildcards`, with a name such as `*.example.org`."""
    if not has_wildcards and host.startswith("*."):
        return f"got {shown(host)}, expected one host: only server certificates have wildcards, name each host"
    return _first_fault(_WILDCARD_RULES, host) or fault_of_host(host.removeprefix("*."))


def fault_of_email(address: str) -> str | None:
    """Say what is wrong with a mailbox (RFC 5280 section 4.2.1.6, RFC 5321 section 4.1.2); quoted forms are refused."""
    local, _, host = address.partition("@")
    return _first_fault(_MAILBOX_RULES, address) or _first_fault(_LOCAL_PART_RULES, local) or fault_of_host(host)


def fault_of_ip_address(address: str) -> str | None:
    """Say what is wrong with an IPv4 or IPv6 address; networks and zone indices are refused."""
    try:
        ipaddress.ip_address(address.replace("%", "/"))  # a zone index is good text, but no part of a certificate
    except ValueError:
        return f"got {shown(address)}, expected one address such as '192.0.2.1' or '2001:db8::1', no prefix or zone"
    return None


def host_of_uri(uri: str) -> str | None:
    """Return the host of a URI, an IPv6 address without its brackets; None for a URI without `//`."""
    match = _AUTHORITY.fullmatch(uri)
    return match[1].removeprefix("[").removesuffix("]") if match else None


def fault_of_uri(uri: str) -> str | None:
    """Say what is wrong with an absolute URI (RFC 3986); with `//`, its host must be a host name or an address."""
    fault = _first_fault(_URI_RULES, uri)
    host = host_of_uri(uri)
    if fault or host is None or fault_of_ip_address(host) is None:
        return fault
    host_fault = fault_of_host(host)
    return f"the host of {shown(uri)}: {host_fault}" if host_fault else None


def is_host_covered(host: str, names: Iterable[str]) -> bool:
    """Return whether one of a certificate's host names is that of a host, in any case (RFC 6125 section 6.4).

    A wildcard stands for exactly one label: `*.example.org` covers `mx1.example.org`, neither `example.org` nor
    `mx1.berlin.example.org`.
    """
    wanted = host.lower()
    return any(name.lower() in (wanted, f"*.{wanted.partition('.')[2]}") for name in names)


def word_of_names(field: str) -> str:
    """Return the declared field that fills a field of `SubjectAltNames`."""
    return "email" if field == "email_addresses" else field


def path_of_name(field: str, index: int) -> str:
    """Return where an alternative name was declared: `dns_names[1]`, and `email`, which has one mailbox only."""
    word = word_of_names(field)
    return f"{word}[{index}]" if index or word == field else word
