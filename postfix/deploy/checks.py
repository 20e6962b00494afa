"""Checks on a host before a deployment changes it, made on copies in a scratch directory."""

from dataclasses import replace

from postfix.deploy.commands import index_table, postconf_faults, require_superuser
from postfix.deploy.host_files import Table
from postfix.deploy.plan import HostPlan
from postfix.deploy.session import HostSession
from postfix.deploy.steps import AGE_SECONDS
from postseal_core.errors import DeployError
from postseal_core.files.tree import ROOT, FileEntry

__all__ = ["check_host", "require_directory"]


def require_directory(session: HostSession) -> None:
    """Raise DeployError unless the configuration directory is there."""
    if ROOT not in session.present([ROOT]):
        raise DeployError(f"there is no directory {session.root}; install Postfix, or correct config_directory")


def check_host(session: HostSession, scratch: HostSession, plan: HostPlan) -> None:
    """Raise DeployError if a plan would not work on this host; nothing but the scratch directory is touched.

    main.cf and master.cf, as they will be, are left in the scratch directory, for commands that need a configuration.
    Checked are the user, what postconf(1) says of the new configuration and does not say of the present one, and with a
    real postmap(1) the types of the tables to be made. Not checked: values of parameters, certificates and keys.
    """
    require_superuser(session)
    for file in (plan.main_cf, plan.master_cf):
        if file:
            scratch.write(replace(file, mode=0o600), age_seconds=AGE_SECONDS)
    if plan.main_cf:
        _check_configuration(session, scratch)
    # `postconf -m` is no proof: it lists hash and btree also where Postfix was built without Berkeley DB.
    for table_type in sorted({table.type for table in plan.built_tables}):
        _check_table_type(scratch, table_type)


def _check_configuration(session: HostSession, scratch: HostSession) -> None:
    faults = postconf_faults(scratch)
    if faults and (new := [fault for fault in faults if fault not in postconf_faults(session)]):
        message = f"postconf finds fault with the new configuration for {session.root}: {'; '.join(new)}"
        raise DeployError(f"{message}; nothing was changed")


def _check_table_type(scratch: HostSession, table_type: str) -> None:
    probe = Table(FileEntry(f"probe-{table_type}", b"key value\n", 0o600), table_type)
    scratch.write(probe.source, age_seconds=AGE_SECONDS)
    try:
        index_table(scratch, probe, scratch.root)
    except DeployError as error:
        message = f"this host cannot make {table_type} tables ({error}); nothing was changed"
        raise DeployError(f"{message}; install the package of that table type, or declare texthash") from error
