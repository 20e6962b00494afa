"""Build recipes: programs built from source, their pinned modules, and the cache name of the result.

Pure: takes the bytes of the recipe's files and says what to run; running it is `build.py`'s part.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

__all__ = [
    "ENGINE_VERSION",
    "PARTS",
    "RECIPE_SUFFIXES",
    "SDK_MODULE",
    "TLS_PLUGIN_VERSION",
    "Part",
    "build_command",
    "recipe_key",
]

ENGINE_VERSION = "3.250.0"
"""Version of the Pulumi CLI that is downloaded or built, and the oldest one that is accepted."""

TLS_PLUGIN_VERSION = "5.3.1"
"""Version of the tls plugin; the engine looks it up by exactly the version of the Python package `pulumi-tls`."""

SDK_MODULE = f"github.com/pulumi/pulumi/sdk/v3@v{ENGINE_VERSION}"
"""Go module that holds `pulumi-language-python-exec`, the script the language host starts programs with."""

RECIPE_SUFFIXES = (".mod", ".sum", ".go")
"""Endings of the files below `toolchain/` whose bytes decide what a build yields."""

_STRIP = "-s -w"
_STAMP = f"{_STRIP} -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{ENGINE_VERSION}"


@dataclass(frozen=True, slots=True)
class Part:
    """One program of the engine and how it is built.

    `name` is its directory in the recipe, `directory` the one in the cache, `package` the Go package to build,
    `linker_flags` what `go build -ldflags` gets, `minutes` how long a cold build with its downloads takes on two cores.
    """

    name: str
    directory: str
    binary: str
    package: str
    linker_flags: str
    title: str
    minutes: float
    has_exec_script: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files a part consists of; the binary is put in place last, so that it marks a finished part."""
        return (f"{self.binary}-exec", self.binary) if self.has_exec_script else (self.binary,)


PARTS = (
    Part(
        "language",
        "bin",
        "pulumi-language-python",
        "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        _STAMP,
        "the Python language host",
        0.5,
        has_exec_script=True,
    ),
    Part(
        "cli",
        "bin",
        "pulumi",
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        _STAMP,
        f"the Pulumi CLI {ENGINE_VERSION}",
        7.5,
    ),
    Part(
        "tls",
        "plugin",
        "pulumi-resource-tls",
        ".",
        _STRIP,
        f"the tls plugin {TLS_PLUGIN_VERSION}",
        4,
    ),
)
"""The parts in the order they are built: the quickest first, so that a machine that cannot build says so early."""


def build_command(part: Part, output: str) -> list[str]:
    """Return the command that builds a part into the file `output`, to be run in the part's directory of the recipe."""
    return ["go", "build", "-trimpath", "-ldflags", part.linker_flags, "-o", output, part.package]


def recipe_key(files: Mapping[PurePosixPath, bytes], platform: str) -> str:
    """Return the name of the directory that keeps what `files` build on `platform`: 16 hexadecimal digits.

    `files` maps paths below `toolchain/` to their bytes. Any changed byte, name, version, flag or platform gives
    another key, so that an engine is never taken for one of another recipe.
    """
    digest = hashlib.sha256(f"{platform} {SDK_MODULE} {TLS_PLUGIN_VERSION}\n".encode())
    for part in PARTS:
        digest.update(f"{part.name} {part.directory} {part.files} {build_command(part, '')}\n".encode())
    for path in sorted(files):
        digest.update(f"{path} {len(files[path])}\n".encode())
        digest.update(files[path])
    return digest.hexdigest()[:16]
