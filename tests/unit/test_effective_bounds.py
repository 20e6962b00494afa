"""Where the reading of a foreign main.cf and master.cf ends, and which options of a service are its own."""

import pytest

from postfix.effective.captures import Captures, HostConfiguration, MasterService, Said, configuration_of
from postfix.effective.expansion import CannotExpandError, expanded
from postfix.effective.host_lists import named_table, steps_of_words
from postfix.effective.verdicts import Judgement, judged
from postfix.effective.visitors import Kind, Visitor
from postfix.restriction_steps import Step
from postfix.restriction_walk import Verdict

pytestmark = pytest.mark.usefixtures("only_names_of_postfix")


def chain(length: int) -> dict[str, str]:
    """Return parameters each of which is the next one; the last is a text."""
    return {f"n{number}": f"$n{number + 1}" for number in range(length)} | {f"n{length}": "end"}


def test_a_chain_of_names_is_followed_and_has_an_end() -> None:
    """People write a few on top of each other; the bound is where no reading of a file needs to go."""
    assert expanded("$n0", chain(38)) == "end"
    with pytest.raises(CannotExpandError, match="nested too deep"):
        expanded("$n0", chain(39))


def test_a_value_may_have_some_twenty_thousand_references() -> None:
    """Names that double at each level would else never end."""
    assert expanded("$n" * 19_999, {}) == ""
    with pytest.raises(CannotExpandError, match="nested too deep"):
        expanded("$n" * 20_000, {})


def test_a_value_may_be_a_million_characters_long() -> None:
    """Filled in, it counts as it is then."""
    raw = {"long": "x" * 2**19, "more": "x" * (2**19 + 1)}
    assert len(expanded("$long$long", raw)) == 2**20
    with pytest.raises(CannotExpandError, match="longer than 1048576 characters"):
        expanded("$long$more", raw)
    with pytest.raises(CannotExpandError, match="longer than"):
        expanded("$more$long", raw)


@pytest.mark.parametrize(
    ("arguments", "is_readable"),
    [
        ("", True),
        ("-v", True),
        ("-v -v", True),
        *((f"{option} value", True) for option in ("-n", "-t", "-i", "-c")),
        *((f"{option} value -o a=b -v", True) for option in ("-n", "-t", "-i", "-c")),
        *((f"-v {option} value stray", False) for option in ("-n", "-t", "-i", "-c")),
        ("-n -o -t -c", True),
        ("stray", False),
        ("-v stray", False),
        ("-o a=b", True),
        ("-o a=b stray", False),
        ("-o {a=b c}", True),
        ("-o { a = b c }", True),
        ("-o", False),
        ("-o -v", False),
        ("-o =b", False),
        ("-o {=b}", False),
        ("-o {a}", False),
        ("-o {{a=b}}", False),
        ("-o -a=b", False),
    ],
)
def test_an_option_of_a_service_is_read_where_postconf_prints_it_as_it_is(arguments: str, *, is_readable: bool) -> None:
    """A word that belongs to no option would be read as something else, and so would the options behind it."""
    fields = {
        "service": "smtp",
        "type": "inet",
        "chroot": "n",
        "unprivileged": "n",
        "command": f"smtpd {arguments}".strip(),
    }
    captures = Captures(
        directory="/etc/postfix",
        root="/etc/postfix",
        all_parameters=Said(stdout="myhostname = mx1\n"),
        service_fields=Said(stdout="".join(f"smtp/inet/{name} = {value}\n" for name, value in fields.items())),
    )
    (service,) = configuration_of(captures).services
    assert (service.name, service.type, service.command, service.is_chrooted) == ("smtp", "inet", "smtpd", False)
    assert service.is_privileged
    assert service.is_readable is is_readable


def of_plain_visitor(**parameters: str) -> Judgement:
    """Return what a listener does with a stranger who has no TLS."""
    listener = MasterService(name="smtp", type="inet", command="smtpd")
    written = {"smtpd_relay_restrictions": "permit_mynetworks reject_unauth_destination", "mynetworks": "192.0.2.0/24"}
    host = HostConfiguration(parameters={**written, **parameters}, services=(listener,))
    visitor = Visitor(kind=Kind.PLAIN, address="192.0.2.7", domain="elsewhere.invalid", prints={})
    (found,), _ = judged(host, (visitor,), {})
    return found


def test_where_tls_is_required_a_visitor_without_it_is_refused_for_that() -> None:
    """The networks that relay are no reason to let him in; where TLS is offered only, they are."""
    with_tls = {"smtpd_tls_chain_files": "/etc/postfix/chain.pem"}
    refused = of_plain_visitor(smtpd_tls_security_level="encrypt", **with_tls)
    assert refused.verdict is Verdict.REFUSE
    assert "TLS is required, and there is none" in refused.causes
    assert of_plain_visitor(smtpd_tls_security_level="may", **with_tls).verdict is Verdict.PERMIT


@pytest.mark.parametrize(
    ("within", "is_refusal"),
    [
        ("reject_unauth_destination", True),
        ("permit_mynetworks defer", True),
        ("permit_mynetworks", False),
        ("permit reject", False),
        ("warn_if_reject reject_unauth_destination", False),
    ],
)
def test_a_class_refuses_mail_to_others_only_if_something_in_it_does(within: str, *, is_refusal: bool) -> None:
    """Otherwise smtpd(8) does not start; a class may stand in a class."""
    for name in ("outer", "inner"):
        found = of_plain_visitor(
            smtpd_restriction_classes="outer inner", smtpd_relay_restrictions=name, outer="inner", inner=within
        )
        missing = "neither smtpd_relay_restrictions nor smtpd_recipient_restrictions refuses mail to others"
        assert any(missing in cause for cause in found.causes) is not is_refusal


def test_a_class_that_leads_back_to_itself_lets_nobody_in() -> None:
    """What names itself refuses nothing, and permits nothing."""
    found = of_plain_visitor(
        smtpd_restriction_classes="outer inner", smtpd_relay_restrictions="outer", outer="inner", inner="outer"
    )
    assert found.verdict is Verdict.REFUSE
    assert found.causes == ("smtpd_restriction_classes: outer leads back to itself",)


@pytest.mark.parametrize("word", ["hash:/etc/access", "{ hash:/etc/access }", "{ nonesuch }", "{nonesuch"])
def test_a_table_alone_is_looked_up_as_its_list_does(word: str) -> None:
    """A word is a table by its colon or its first brace; what stands behind it is the next step."""
    steps = steps_of_words([word, "reject"], "check_helo_access")
    assert steps == (Step("check_helo_access", word), Step("reject"))


@pytest.mark.parametrize("word", ["nonesuch", "nonesuch}", "check_helo_access"])
def test_a_word_that_is_no_table_is_a_step_of_its_own(word: str) -> None:
    """With the word behind it only where it takes one."""
    steps = steps_of_words([word, "reject"], "check_client_access")
    assert steps == ((Step(word, "reject"),) if word == "check_helo_access" else (Step(word), Step("reject")))


@pytest.mark.parametrize(
    ("argument", "table"),
    [
        ("hash:/etc/access", "hash:/etc/access"),
        ("{ hash:/etc/access, { search_order = x } }", "hash:/etc/access"),
        ("{hash:/etc/access}", "hash:/etc/access"),
        ("{ }", ""),
        ("{hash:/etc/access", "{hash:/etc/access"),
        ("hash:/etc/access}", "hash:/etc/access}"),
    ],
)
def test_the_table_of_an_argument_is_the_first_word_in_its_braces(argument: str, table: str) -> None:
    """What has one brace only is a name like others."""
    assert named_table(argument) == table
