"""Decides whether the engine can run in a network namespace of its own, where no other user reaches its ports.

Any user of the machine can connect to a running engine and ask it for the outputs of every resource, keys in clear. In
a network namespace of its own nobody else can; but there is no way out of it either. So it is used only where nothing
needs one. Pure: what is so is gathered by `surroundings.py`.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["WISH_VARIABLE", "Choice", "EngineCommand", "Surroundings", "choose_network", "read_command"]

WISH_VARIABLE = "POSTSEAL_NETWORK"
"""`shared` keeps the engine in the network of the machine; empty decides by what is there."""

# With the engine's other names for them.
_COMMANDS = {
    "import": "import",
    "watch": "watch",
    "destroy": "destroy",
    "dn": "destroy",
    "down": "destroy",
    "pre": "preview",
    "preview": "preview",
    "refresh": "refresh",
    "up": "up",
    "update": "up",
}
_SWITCHES = (
    *(
        "-d",
        "--debug",
        "-j",
        "--json",
        "-y",
        "--yes",
        "-f",
        "--skip-preview",
        "--non-interactive",
        "--diff",
        "--strict",
    ),
    *("--expect-no-changes", "--suppress-outputs", "--suppress-progress", "--show-config", "--show-reads"),
    *("--show-replacement-steps", "--show-sames", "--target-dependents", "--exclude-dependents", "--continue-on-error"),
    *(
        "--clear-pending-creates",
        "--skip-pending-creates",
        "--remove",
        "--disable-integrity-checking",
        "--preview-only",
    ),
)
_WITH_VALUE = (
    *("-m", "--message", "-p", "--parallel", "-t", "--target", "-x", "--exclude", "--replace", "--target-replace"),
    *("--color", "--save-plan", "--plan", "--event-log"),
)
_OPTIONAL_VALUE = ("-r", "--refresh", "-e", "--emoji", "--suppress-permalink")
_LOCAL_BACKEND = "file://"
_PASSPHRASE = "passphrase"  # noqa: S105  # the name of a secrets provider
_DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """The parsed arguments of `pulumi`.

    `command`: one in which the engine answers on loopback (`up`, `preview`, `destroy`, `refresh`, `import`, `watch`),
    empty for others. `stack`,
    `config_file`, `directory`: as they were said, empty where not. `strange`: options that are not known here.
    """

    command: str = ""
    stack: str = ""
    config_file: str = ""
    directory: str = ""
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Everything that the choice depends on.

    `system`: as `sys.platform`. `wish`: the value of POSTSEAL_NETWORK. `outside`: variables that name something outside
    of the engine, as a plugin that runs already. `backend_url`: where the state is. `secrets_provider`: of the stack,
    empty for the passphrase. `targets`: the kinds of target of all hosts. `missing`: what would be downloaded.
    `unknown`: why something of this cannot be told, empty if all is known.
    """

    system: str
    is_root: bool
    wish: str = ""
    outside: tuple[str, ...] = ()
    backend_url: str = ""
    secrets_provider: str = ""
    targets: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether the engine gets a network of its own, and if not, why: half a sentence."""

    is_private: bool
    reason: str = ""


def choose_network(there: Surroundings) -> Choice:
    """Choose a private network only if it is possible and changes nothing else; in doubt, no."""
    reason = next((reason for is_so, reason in _obstacles(there) if is_so), "")
    return Choice(is_private=not reason, reason=reason)


def _obstacles(there: Surroundings) -> list[tuple[bool, str]]:
    others = sorted({*there.targets} - {_DIRECTORY})
    is_local = there.backend_url.startswith(_LOCAL_BACKEND)
    return [
        (there.wish == "shared", f"{WISH_VARIABLE} is set to shared"),
        (bool(there.wish), f"{WISH_VARIABLE} has an unknown value, expected shared or nothing"),
        (there.system != "linux", "this system has no network namespaces"),
        # A user namespace would do, but in it files of root and of strangers look alike, which are told apart when
        # files are written.
        (not there.is_root, "only root can have a network namespace that leaves the owners of files as they are"),
        (bool(there.outside), f"{', '.join(there.outside)} names something outside of the engine"),
        (not is_local, "the state is not in a directory of this machine"),
        (
            there.secrets_provider not in ("", _PASSPHRASE),
            "the secrets provider of the stack is reached over a network",
        ),
        (bool(there.unknown), there.unknown),
        (bool(others), f"a host has a target of the kind {' and '.join(others)}, whose service is asked"),
        (bool(there.missing), f"{', '.join(there.missing)} would be downloaded"),
    ]


class _CannotReadError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _CannotReadError(message)


def read_command(arguments: Sequence[str]) -> EngineCommand:
    """Return what the arguments of `pulumi` ask for; an option that is not known here is named as strange."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    for names in (("-s", "--stack"), ("--config-file",), ("-C", "--cwd")):
        parser.add_argument(*names, default="", dest=names[-1])
    for name in _SWITCHES:
        parser.add_argument(name, action="store_true", dest="known")
    for name in _WITH_VALUE:
        parser.add_argument(name, dest="known")
    for name in _OPTIONAL_VALUE:
        parser.add_argument(name, action="store_true", dest="known")
    parser.add_argument("command", nargs="*")
    try:
        # The engine's `--color=never` and `--refresh=true` are one word: what is a switch here may have a value there.
        said, strange = parser.parse_known_intermixed_args(_without_values(arguments))
    except _CannotReadError as error:
        return EngineCommand(_first_command(arguments), strange=(str(error),))
    options = vars(said)
    # The word behind an option that is not known may be its value: then the command is one of those that follow.
    command = _first_command(said.command if strange else said.command[:1])
    return EngineCommand(
        command, options["--stack"], options["--config-file"], options["--cwd"], (*strange, *said.command[1:])
    )


def _first_command(words: Sequence[str]) -> str:
    return next((_COMMANDS[word] for word in words if word in _COMMANDS), "")


def _without_values(arguments: Sequence[str]) -> list[str]:
    """Strip values from switches in the arguments: `--refresh=true` becomes `--refresh`."""
    flags = {*_SWITCHES, *_OPTIONAL_VALUE}
    return [name if (name := argument.partition("=")[0]) in flags else argument for argument in arguments]
