"""Where everything lies that the toolchain makes: cache, engine, plugins, virtual environment and state."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from toolchain.recipe import PARTS, RECIPE_SUFFIXES, recipe_key

__all__ = ["Layout", "locate"]


@dataclass(frozen=True, slots=True)
class Layout:
    """The directories of one checkout; none of them needs to exist.

    `root` is the checkout, `cache` what is kept between checkouts (`~/.cache/postseal`), `state` the file backend with
    its passphrase (`.pulumi` of the checkout), `key` the name of the engine's recipe.
    """

    root: Path
    cache: Path
    state: Path
    key: str

    @property
    def engine(self) -> Path:
        """Directory with the finished parts of the engine."""
        return self.cache / "engine" / self.key

    @property
    def engine_bin(self) -> Path:
        """Directory with the CLI and, beside it, the language host: the engine warns about one that is elsewhere."""
        return self.engine / "bin"

    @property
    def pulumi_home(self) -> Path:
        """Directory where the engine keeps its installed plugins."""
        return self.cache / "home" / self.key

    @property
    def uv(self) -> Path:
        """Private virtual environment with `uv`, for machines that have none."""
        return self.cache / "uv"

    @property
    def virtualenv(self) -> Path:
        """Virtual environment of the checkout."""
        return self.root / ".venv"

    @property
    def passphrase_file(self) -> Path:
        """File that holds the passphrase of the checkout's stacks."""
        return self.state / "passphrase"


def locate(root: Path, environment: Mapping[str, str]) -> Layout:
    """Return where the checkout at `root` keeps its things, as `environment` has it.

    `XDG_CACHE_HOME` moves the cache and `POSTSEAL_STATE_DIR` the state; a relative `XDG_CACHE_HOME` is ignored, as the
    XDG base directory specification asks. Reads the files of the engine's recipe below `root`.
    """
    root = root.resolve()
    home = Path(environment.get("HOME") or "~").expanduser()
    cache_home = Path(environment.get("XDG_CACHE_HOME") or "")
    state = environment.get("POSTSEAL_STATE_DIR") or ".pulumi"
    return Layout(
        root=root,
        cache=(cache_home if cache_home.is_absolute() else home / ".cache") / "postseal",
        state=root / state,
        key=recipe_key(_read_recipe(root / "toolchain"), f"{sys.platform}-{platform.machine()}"),
    )


def _read_recipe(directory: Path) -> dict[PurePosixPath, bytes]:
    below_parts = (path for part in PARTS for path in (directory / part.name).rglob("*"))
    paths = (path for path in below_parts if path.suffix in RECIPE_SUFFIXES)
    return {PurePosixPath(path.relative_to(directory).as_posix()): path.read_bytes() for path in paths}
