"""The one place that knows the environment in which this project runs Pulumi."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from toolchain.layout import Layout, locate

__all__ = ["backend_url", "engine_environment", "left_behind", "search_path"]

_CHECKOUT: Final = "POSTSEAL_CHECKOUT"
"""Which checkout's environment a shell has."""


def backend_url(directory: Path) -> str:
    """Return the URL of a file backend in a directory.

    Without the engine's extra file of attributes beside each state: an engine that is killed while it writes that file
    leaves it empty, and no command reads such a stack any more.
    """
    return f"{directory.as_uri()}?metadata=skip"


def search_path(layout: Layout, inherited: str) -> str:
    """Return the `PATH` for the engine: the checkout's virtual environment, then the cached engine, then `inherited`.

    The virtual environment comes first because the language host takes `python3` from there. The tls plugin is left
    out: the engine warns at every command about a plugin that it finds on `PATH`. The private `uv` comes last, so that
    the user's own is preferred.
    """
    directories = [layout.virtualenv / "bin", layout.engine_bin]
    return ":".join([*map(str, directories), *filter(None, [inherited]), str(layout.uv / "bin")])


def engine_environment(root: Path, base: Mapping[str, str]) -> dict[str, str]:
    """Return `base` with what the engine needs to run the checkout at `root`; what the user has set is left alone.

    Sets `PATH` and `VIRTUAL_ENV` always; `PULUMI_HOME`, `PULUMI_BACKEND_URL` (a file backend),
    `PULUMI_SKIP_UPDATE_CHECK` and, unless `PULUMI_CONFIG_PASSPHRASE` is there, `PULUMI_CONFIG_PASSPHRASE_FILE` where
    `base` has none.
    `POSTSEAL_STATE_DIR` in `base` moves the file backend and the passphrase file. Nothing is created: see `state.py`.
    What the environment of another checkout has set is not the user's: it is set anew, see `left_behind`.
    """
    layout = locate(root, base)
    defaults = _defaults(layout)
    if "PULUMI_CONFIG_PASSPHRASE" in base:
        del defaults["PULUMI_CONFIG_PASSPHRASE_FILE"]
    theirs = left_behind(root, base)
    kept = {name: value for name, value in base.items() if name not in theirs}
    forced = {
        "PATH": search_path(layout, base.get("PATH", "")),
        "VIRTUAL_ENV": str(layout.virtualenv),
        _CHECKOUT: str(layout.root),
    }
    return {**defaults, **kept, **forced}


def left_behind(root: Path, base: Mapping[str, str]) -> dict[str, str]:
    """Return what the environment of another checkout than `root` has set in `base`: its state, above all.

    Two checkouts in one shell would write into one state otherwise, and each take the other's stacks for its own.
    """
    other = base.get(_CHECKOUT, "")
    if not other or Path(other).resolve() == root.resolve():
        return {}
    theirs = _defaults(locate(Path(other), base))
    return {name: value for name, value in base.items() if theirs.get(name) == value}


def _defaults(layout: Layout) -> dict[str, str]:
    return {
        "PULUMI_HOME": str(layout.pulumi_home),
        "PULUMI_BACKEND_URL": backend_url(layout.state),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # A stack file without its salt gets the one in the state back, not a new one.
        "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(layout.passphrase_file),
    }
