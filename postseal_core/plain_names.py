"""Names that do not survive YAML: it reads them as numbers, dates or flags before any program sees them.

`010` and `8` are one number and so become one name, `1e3` becomes `1000`. The rules are those of YAML 1.1
(yaml.org/type) and of the core schema of YAML 1.2, whichever reads more as no text; but `y` and `n` stay names, as in
every library.
"""

import re
from typing import Final

__all__ = ["LOST_NAME", "is_lost_in_yaml"]

LOST_NAME: Final = (
    "this name reads as a number, a date, or yes and no: YAML hands on another one; choose a name with a letter that "
    "makes it a word, as client-8"
)
"""What is said of such a name, wherever one is declared."""

_LOST: Final = re.compile(
    r"""
      [-+]?[0-9][0-9_]*                                       # digits alone
    | [-+]?(0x[0-9a-f_]+ | 0o[0-7_]+ | 0b[01_]+)              # other bases
    | [-+]?([0-9][0-9_]*\.?[0-9_]* | \.[0-9][0-9_]*)(e[-+]?[0-9]+)?  # with a fraction or an exponent
    | [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?            # of base 60
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([t\ ].*)?                # a day, an instant
    | true | false | yes | no | on | off | null | ~
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def is_lost_in_yaml(name: str) -> bool:
    """Return whether a name is read as something else than text where it stands in YAML without quotes."""
    return _LOST.fullmatch(name) is not None
