"""The facts that the doctor judges, as plain values; nothing here is a secret."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Engine", "Facts", "LocalUser", "Passphrase", "Place", "Plugins", "Stack"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The program `pulumi`; `path` is empty where there is none, `version` (as `3.250.0`) where it does not tell."""

    path: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugins:
    """Packages and plugins by version; empty texts are not installed.

    `wanted`: what this package asks for, as `pulumi<4,>=3.250`. `tls_plugins`: versions of the installed tls plugins.
    `declared_path`: where Pulumi.yaml says the postseal plugin is, resolved; `own_path`: where this command's own is.
    """

    sdk: str = ""
    tls_package: str = ""
    wanted: tuple[str, ...] = ()
    tls_plugins: tuple[str, ...] = ()
    declared_path: str = ""
    has_declared_plugin: bool = False
    own_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The state. `backend_url`: empty where unknown. `error`: why it cannot be read; `secrets_provider`: its type.

    `newest`: the last instant at which it was written, by what it says and by its directory; None where unknown.
    """

    backend_url: str = ""
    error: str = ""
    secrets_provider: str = ""
    newest: datetime | None = None


class Passphrase(StrEnum):
    """Where the passphrase of the state comes from."""

    NOWHERE = "nowhere"
    ENVIRONMENT = "environment"
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file or directory. `mode`: permission bits, None where it is absent. `is_own`: of this user, or of root.

    `complaint`: why `pulumi up` would write nothing there, which directories above decide as well; empty if it would.
    """

    path: str
    mode: int | None
    is_own: bool = True
    complaint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUser:
    """Another user of the machine, neither root nor this one."""

    name: str
    can_log_in: bool
    has_processes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts that the doctor judges.

    `project_file`: Pulumi.yaml, here or in a directory above, as the engine looks for it; without one its place here.
    `system`: as `sys.platform`. `others`: None where they cannot be listed. `is_private_network`: whether this process
    is in another network namespace than the machine's first process, None where that cannot be told. `log_switches`:
    switches of the engine that write secrets in clear.
    """

    system: str
    now: datetime
    project_file: Place
    engine: Engine
    plugins: Plugins
    stack: Stack
    passphrase: Passphrase
    passphrase_file: Place | None = None
    state_directory: Place | None = None
    out_directory: Place | None = None
    others: tuple[LocalUser, ...] | None = None
    is_private_network: bool | None = None
    log_switches: tuple[str, ...] = ()
    is_interrupt_ignored: bool = False
