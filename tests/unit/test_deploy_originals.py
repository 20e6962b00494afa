"""A main.cf of somebody else gets its own values back when a deployment goes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postfix.deploy.host_files import Deployed, HostFiles, Situation
from postfix.deploy.plan import HostPlan, plan_deployment
from postfix.main_cf import read_parameters
from postseal_core.files.tree import DIRECTORY, ROOT, FileEntry, manifest

NAMES = ("mynetworks", "myhostname", "smtpd_tls_security_level", "smtpd_banner")
VALUES = st.sampled_from(["", "none", "may", "192.0.2.0/28", "$myhostname ESMTP"])
PARAMETERS = st.dictionaries(st.sampled_from(NAMES), VALUES)


def situation(main_cf: str | bytes) -> Situation:
    """Return a host with this main.cf."""
    content = main_cf if isinstance(main_cf, bytes) else main_cf.encode()
    return Situation(files={ROOT: DIRECTORY}, configuration={"main.cf": FileEntry("main.cf", content, 0o644)})


def after(plan: HostPlan) -> str:
    """Return main.cf as a plan leaves it."""
    assert plan.main_cf
    return plan.main_cf.content.decode("utf-8", "surrogateescape")


def deployed_and_removed(main_cf: str, *declarations: dict[str, str]) -> str:
    """Return main.cf after one deployment of each declaration, and the removal of all."""
    deployed = Deployed()
    for declared in (*declarations, {}):
        plan = plan_deployment(HostFiles(parameters=declared), deployed, situation(main_cf))
        main_cf, deployed = after(plan), plan.deployed
    assert deployed == Deployed()
    return main_cf


@given(PARAMETERS, PARAMETERS, PARAMETERS)
def test_whatever_is_declared_meanwhile_the_own_values_come_back(
    own: dict[str, str], first: dict[str, str], second: dict[str, str]
) -> None:
    """After any two deployments and the removal, main.cf says what it said."""
    main_cf = "# ours\n" + "".join(f"{name} = {value}\n" for name, value in own.items())
    assert read_parameters(deployed_and_removed(main_cf, first, second)) == own


def test_a_parameter_that_has_the_declared_value_already_keeps_every_byte() -> None:
    """Where nothing is replaced, nothing is written differently in the end."""
    main_cf = "myhostname   =  mx1.example.org\n"
    assert deployed_and_removed(main_cf, {"myhostname": "mx1.example.org", "mynetworks": ""}) == main_cf


@pytest.mark.parametrize("value", [b"with\ta tab", b"gr\xfc\xdfe"], ids=["a control character", "another encoding"])
def test_a_value_that_the_state_cannot_hold_is_not_kept(value: bytes) -> None:
    """The deployment and the removal work all the same; the parameter is then Postfix's default."""
    host = situation(b"smtpd_banner = " + value + b"\n")
    plan = plan_deployment(HostFiles(parameters={"smtpd_banner": "$myhostname"}), Deployed(), host)
    assert plan.deployed.originals == {}
    removal = plan_deployment(HostFiles(), plan.deployed, situation(after(plan)))
    assert read_parameters(after(removal)) == {}


def test_a_parameter_that_was_removed_by_hand_meanwhile_does_not_come_back() -> None:
    """What the administrator took out stays out."""
    deployed = Deployed(parameters=("mynetworks",), originals={"mynetworks": "192.0.2.0/28"})
    assert plan_deployment(HostFiles(), deployed, situation("# nothing\n")).is_empty


def test_what_a_forgotten_deployment_left_is_not_taken_for_somebody_elses() -> None:
    """A block of ours without a state that knows of it: its values and paths must not come back later."""
    left = after(plan_deployment(HostFiles(parameters={"mynetworks": ""}), Deployed(), situation("# ours\n")))
    plan = plan_deployment(HostFiles(parameters={"mynetworks": "192.0.2.0/28"}), Deployed(), situation(left))
    assert plan.deployed.originals == {}


def test_a_main_cf_that_was_ours_as_a_whole_has_no_values_of_others() -> None:
    """Going over from whole files to parts gives nothing back later."""
    host = situation("mynetworks = 192.0.2.0/28\n")
    owned = Deployed(files=manifest(host.configuration.values()))
    present = replace(host, files={**host.files, **owned.files})
    plan = plan_deployment(HostFiles(parameters={"mynetworks": ""}), owned, present)
    assert plan.deployed.originals == {}
