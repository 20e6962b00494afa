"""Where the files of lookup tables may lie; from any other place Postfix would read, and show, a file that is no table.

A line that is no row is quoted in the log, and in some tables to whoever writes mail. Judged is the text of the path
alone: a link that lies in such a place was put there by root.
"""

import re
from typing import Final

from postseal_core.wording import shown

__all__ = ["CONFIGURED_TYPES", "INDEXED_TYPES", "OWN_PLACES", "PATTERN_TYPES", "TABLE_PLACES", "fault_of_table_file"]

INDEXED_TYPES: Final = frozenset({"btree", "cdb", "dbm", "hash", "lmdb", "sdbm", "texthash"})
"""Types of tables in a file that show no line of it: another file beside it is read, or what is wrong is not quoted."""

PATTERN_TYPES: Final = frozenset({"cidr", "pcre", "regexp"})
"""Types of tables in a file whose lines are patterns; one that is none is quoted."""

CONFIGURED_TYPES: Final = frozenset({"ldap", "memcache", "mongodb", "mysql", "pgsql", "sqlite"})
"""Types of tables elsewhere that a file says how to reach, with lines as in main.cf; one that is none is quoted."""

OWN_PLACES: Final = ("config_directory", "data_directory")
"""Parameters that stand for directories of the host's own Postfix."""

_OWN: Final = tuple(f"${name}" for name in OWN_PLACES)
_OF_POSTFIX: Final = ("/etc/postfix", "/usr/local/etc/postfix", "/opt/homebrew/etc/postfix", "/usr/pkg/etc/postfix")
_OTHER: Final = ("/etc/mail", "/var/lib/postfix", "/var/db/postfix", "/var/lib/mailman/data", "/var/lib/mailman3/data")
_FILES: Final = ("/etc/aliases", "/usr/local/etc/aliases")

TABLE_PLACES: Final = (*_OWN, *_OF_POSTFIX, *_OTHER, *_FILES)
"""The directories and files; to those of Postfix an instance's name may be added, as in `/etc/postfix-out`."""

_BRACES: Final = re.compile(r"\$(?:\{(?P<curly>\w+)\}|\((?P<round>\w+)\))", re.ASCII)
_PLACE: Final = re.compile(
    "({own}|({of_postfix})(-[A-Za-z0-9_-]+)?|{other})/(?P<below>[^$]+)".format(
        own="|".join(map(re.escape, _OWN)),
        of_postfix="|".join(map(re.escape, _OF_POSTFIX)),
        other="|".join(map(re.escape, _OTHER)),
    ),
    re.ASCII,
)
_SETTINGS: Final = ".cf"
_PASSWORDS: Final = re.compile("passw|secret", re.IGNORECASE)
# Our chain files, which begin with a private key, and those of others.
_KEYS: Final = "tls"
_KEY_ENDINGS: Final = (".key", ".pem")


def fault_of_table_file(table_type: str, path: str) -> str | None:
    """Say why the file of a table may not lie there, as the rest of a sentence; None: it may.

    A type that is not known is judged as the worst.
    """
    plain = _BRACES.sub(lambda match: f"${match['curly'] or match['round']}", path)
    if plain in _FILES:
        return None
    match = _PLACE.fullmatch(plain)
    below = match["below"].split("/") if match else []
    if not match or not {"", ".", ".."}.isdisjoint(below):
        return (
            f"{shown(path)} is no place of tables, and Postfix shows lines of what it reads: put it below "
            "$config_directory/, /etc/postfix/ or another place that docs/parameters.md names"
        )
    if below[0] == _KEYS or below[-1].lower().endswith(_KEY_ENDINGS):
        return f"{shown(path)} is where keys are, and Postfix shows lines of what it reads: choose another name"
    if _holds_secrets(table_type, below[-1]):
        why = f"holds settings or passwords by its name, and a {table_type} table would show lines of it"
        return f"{shown(path)} {why}: choose another name"
    return None


def _holds_secrets(table_type: str, name: str) -> bool:
    """Return whether a file of settings or passwords would be quoted where it is read as a table of this type."""
    is_settings = name.endswith(_SETTINGS)
    if table_type in INDEXED_TYPES or (table_type in CONFIGURED_TYPES and is_settings):
        return False
    return is_settings or _PASSWORDS.search(name) is not None
