"""Do engine, packages and plugins fit together? Pure."""

import re
from collections.abc import Iterator
from typing import Final

from postseal.doctor.facts import Facts
from postseal.doctor.findings import Finding, Severity

__all__ = ["check_engine", "check_packages", "check_postseal_plugin", "check_project", "check_tls_plugin", "fits"]

_ENGINE: Final = "pulumi"
_TLS: Final = "pulumi-tls"
_REQUIREMENT: Final = re.compile(r"(?P<name>[a-z0-9-]+)(?P<limits>[^;]*)")
_LIMIT: Final = re.compile(r"(?P<relation>>=|==|<)(?P<version>[0-9.]+)")


def fits(version: str, requirement: str) -> bool:
    """Return whether a version is within the limits of a requirement such as `pulumi<4,>=3.250`."""
    return all(_keeps(version, each["relation"], each["version"]) for each in _LIMIT.finditer(requirement))


def _keeps(version: str, relation: str, limit: str) -> bool:
    there, bound = _numbers(version), _numbers(limit)
    width = max(len(there), len(bound))
    there, bound = ((*each, *[0] * (width - len(each))) for each in (there, bound))
    return {">=": there >= bound, "<": there < bound, "==": there == bound}[relation]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\d+", version.partition("-")[0].partition("+")[0])[:4])


def _requirement(facts: Facts, name: str) -> str:
    matches = (_REQUIREMENT.match(each) for each in facts.plugins.wanted)
    return next((match["limits"].strip(" ()") for match in matches if match and match["name"] == name), "")


def check_engine(facts: Facts) -> Iterator[Finding]:
    """Yield whether there is an engine of a version that was tried."""
    engine, wanted = facts.engine, _requirement(facts, _ENGINE)
    if not engine.path:
        why = "nothing can be previewed or brought up without it"
        fix = "put `pulumi` on PATH, or name it in POSTSEAL_PULUMI; in a checkout, run `make engine`"
        yield Finding("engine", Severity.FAULT, "there is no program `pulumi`", why, fix)
    elif not engine.version:
        why = "it may be too old, or no Pulumi at all"
        fix = f"run `{engine.path} version` and see what it says"
        yield Finding("engine", Severity.CANNOT_TELL, f"{engine.path} does not tell its version", why, fix)
    elif not fits(engine.version, wanted):
        why = "this version was not tried and may lack what is needed"
        fix = f"install a Pulumi {wanted}"
        yield Finding("engine", Severity.FAULT, f"Pulumi {engine.version}, expected {wanted}", why, fix)
    else:
        yield Finding("engine", Severity.OK, f"Pulumi {engine.version}, {engine.path}")


def check_packages(facts: Facts) -> Iterator[Finding]:
    """Yield whether the Python packages of the engine are there, in versions that were tried."""
    for name, version in ((_ENGINE, facts.plugins.sdk), (_TLS, facts.plugins.tls_package)):
        wanted = _requirement(facts, name)
        if not version:
            why, fix = "the program cannot be run", f"install `{name}{wanted}` beside postseal"
            yield Finding("packages", Severity.FAULT, f"the Python package {name} is not installed", why, fix)
        elif not fits(version, wanted):
            why, fix = "this version was not tried", f"install `{name}{wanted}`"
            yield Finding("packages", Severity.FAULT, f"{name} {version}, expected {wanted}", why, fix)
        else:
            yield Finding("packages", Severity.OK, f"Python package {name} {version}")


def check_tls_plugin(facts: Facts) -> Iterator[Finding]:
    """Yield whether the tls plugin of exactly the package's version is installed."""
    plugins = facts.plugins
    if not plugins.tls_package:
        return
    if plugins.tls_package in plugins.tls_plugins:
        yield Finding("tls plugin", Severity.OK, f"tls plugin {plugins.tls_package}")
        return
    others = f"; there is {', '.join(plugins.tls_plugins)}" if plugins.tls_plugins else ""
    why = "the engine looks it up by exactly the version of the Python package, and downloads it where it can"
    fix = f"run `pulumi plugin install resource tls {plugins.tls_package}`"
    yield Finding("tls plugin", Severity.WARNING, f"no tls plugin {plugins.tls_package}{others}", why, fix)


def check_project(facts: Facts) -> Iterator[Finding]:
    """Yield whether there is a Pulumi project; without one nothing is said of its plugin and its state."""
    file = facts.project_file
    if file.mode is None:
        directory, _, name = file.path.rpartition("/")
        why = "it says which plugin is used, and a stack is one of a project"
        fix = "name the project's directory with --directory, or run it there"
        yield Finding("project", Severity.FAULT, f"there is no {name} in {directory or '/'}", why, fix)
    else:
        yield Finding("project", Severity.OK, file.path)


def check_postseal_plugin(facts: Facts) -> Iterator[Finding]:
    """Yield whether the plugin that Pulumi.yaml names is the one of this installation."""
    plugins = facts.plugins
    if facts.project_file.mode is None:
        return
    if not plugins.declared_path:
        why = "the engine then takes it from PATH, whatever version that is"
        fix = "name it in Pulumi.yaml below `plugins.providers`, as `name: postseal, path: .venv/bin`"
        yield Finding("postseal plugin", Severity.WARNING, "Pulumi.yaml does not say where the plugin is", why, fix)
    elif not plugins.has_declared_plugin:
        why = "the engine starts the plugin that Pulumi.yaml names"
        fix = "install postseal there, or correct the path in Pulumi.yaml"
        what = f"there is no pulumi-resource-postseal in {plugins.declared_path}"
        yield Finding("postseal plugin", Severity.FAULT, what, why, fix)
    elif plugins.declared_path != plugins.own_path:
        why = "program, plugin and this command must be of one version"
        fix = f"run `{plugins.declared_path}/postseal doctor`"
        what = f"the plugin is in {plugins.declared_path}, this command in {plugins.own_path}"
        yield Finding("postseal plugin", Severity.CANNOT_TELL, what, why, fix)
    else:
        yield Finding("postseal plugin", Severity.OK, f"plugin of this very installation, {plugins.own_path}")
