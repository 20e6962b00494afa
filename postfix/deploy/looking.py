"""Look at the server certificates that a host has already."""

from collections.abc import Collection
from typing import Final

from postfix.deploy.session import AS_IT_IS, Configuration, HostSession
from postfix.on_host import CertificateOnHost, Sighting, Source, fault_of_other_files, files_of, sources_of
from postfix.rendering import SERVED_BY
from postfix.sighting import sight
from postseal_core.errors import DeployError

__all__ = ["look_at_certificates"]

_LOST: Final = "\N{REPLACEMENT CHARACTER}"
"""What stands for each byte of the host's answer that is no UTF-8."""
_STRANGE: Final = "is no absolute path in UTF-8, so nothing here knows which file Postfix opens"


def look_at_certificates(
    session: HostSession,
    declared: CertificateOnHost,
    *,
    configuration: Configuration = AS_IT_IS,
    ours: Collection[str] = (),
) -> Sighting:
    """Return what the host has of its own certificates.

    `configuration`: with the main.cf to ask, perhaps one that is still to be put in place. `ours`: files that we have
    written, as absolute paths; they are none of the host's own and would go.
    """
    if declared.keeps_parameters:
        try:
            found = session.parameters(SERVED_BY, configuration)
        except DeployError as error:
            return Sighting(declared=declared, cannot_tell=str(error))
        sources = sources_of(found)
        fault = fault_of_other_files(declared, sources)
        if fault:
            return Sighting(declared=declared, faults=(fault,))
    else:
        sources = (Source(declared.chain_files),)
    if strange := [path for path in files_of(sources) if not _can_be_opened(path)]:
        return Sighting(declared=declared, cannot_tell=f"{', '.join(strange)} {_STRANGE}")
    mine = [path for path in files_of(sources) if path in ours]
    if mine:
        fault = f"{', '.join(mine)} was written by this stack and will be removed; name a file that somebody else keeps"
        return Sighting(declared=declared, faults=(fault,))
    return sight(declared, sources, {path: session.read_public(path) for path in files_of(sources)})


def _can_be_opened(path: str) -> bool:
    """Return whether a path names the same file here as for Postfix, which works in its queue_directory."""
    return path.startswith("/") and _LOST not in path
