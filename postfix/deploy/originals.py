"""Remember the values in somebody else's main.cf, to give them back when a parameter is no longer declared.

Without this, taking a deployment away would leave Postfix to its defaults: another `mynetworks`, TLS turned off.
"""

from collections.abc import Mapping

from postfix.deploy.host_files import Deployed
from postfix.main_cf import BEGIN_MARK, read_parameters

__all__ = ["originals_of", "restored"]


def originals_of(text: str, declared: Mapping[str, str], deployed: Deployed) -> dict[str, str]:
    """Return the values that main.cf `text` had for the declared parameters before any of them was ours.

    Not kept are values with control characters or in no known encoding, which the engine's state could not hold.
    """
    kept = {name: value for name, value in deployed.originals.items() if name in declared}
    if BEGIN_MARK in text and not deployed.parameters:
        # The block is ours but its state was lost; do not record our own values as originals.
        return kept
    found = {
        name: value
        for name, value in read_parameters(text).items()
        if name in declared and name not in deployed.parameters and value.isprintable()
    }
    return kept | found


def restored(text: str, declared: Mapping[str, str], deployed: Deployed) -> dict[str, str]:
    """Return the values to give back: of parameters that are declared no more and that `text` still sets."""
    present = read_parameters(text)
    return {name: value for name, value in deployed.originals.items() if name not in declared and name in present}
