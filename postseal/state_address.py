"""Show where a state is without what opens it: passwords stand in addresses, and programs quote addresses. Pure."""

import re
from typing import Final
from urllib.parse import unquote

__all__ = ["address_shown", "directory_of", "without_secrets"]

_FILE: Final = "file://"
_WITHHELD: Final = (
    "the engine's message is not shown here: it quotes the address of the state, which may hold a password"
)
_CREDENTIALS: Final = re.compile(r"//[^/\s@]*@")
# What this does not match may have a password with `/`, `?`, `#` or `@` in it: nobody can tell where that ends.
_PLAIN: Final = re.compile(
    r"""(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)
        (?:(?P<user>[^/?\#@\s]*)@)?
        (?P<place>(?:\[[0-9A-Fa-f:.]+\]|[^/?\#@:\[\]\s]*)(?::[0-9]+)?(?:/[^?\#@\s]*)?)
        (?P<query>\?[^\#@\s]*)?""",
    re.VERBOSE,
)


def address_shown(url: str) -> str:
    """Return the address of a state without user, password and options; of one that cannot be read, its kind only."""
    if url.startswith(_FILE):
        return url.partition("?")[0]
    plain = _PLAIN.fullmatch(url)
    if plain:
        return plain["scheme"] + plain["place"]
    kind, separator, _ = url.partition("://")
    return f"{kind}{separator}..." if separator and kind.isalnum() else "an address that cannot be read"


def directory_of(url: str) -> str | None:
    """Return the absolute path of the directory that a file backend is in; None for another backend."""
    path = unquote(address_shown(url).removeprefix(_FILE))
    return path if url.startswith(_FILE) and path.startswith("/") else None


def without_secrets(text: str, url: str) -> str:
    """Return what the engine said of a state at `url`, or that it is withheld: where it may quote what is hidden."""
    if not url or url.startswith(_FILE):
        return text
    text = _CREDENTIALS.sub("//", text.replace(url, address_shown(url)))
    return _WITHHELD if _words(text) & _hidden_words(url) else text


def _hidden_words(url: str) -> set[str]:
    plain = _PLAIN.fullmatch(url)
    if plain:
        values = [part.partition("=")[2] for part in (plain["query"] or "").split("&")]
        hidden = " ".join([(plain["user"] or "").partition(":")[2], *values])
    else:
        hidden = url.partition("://")[2] or url
    return _words(f"{hidden} {unquote(hidden)}")


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^A-Za-z0-9]+", text) if word[1:]}
