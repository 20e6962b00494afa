"""Where the reading of a foreign main.cf and master.cf ends, and which options of a service are its own."""

import pytest

from postfix.effective.captures import Captures, Said, configuration_of
from postfix.effective.expansion import CannotExpandError, expanded


def chain(length: int) -> dict[str, str]:
    """Return parameters each of which is the next one; the last is a text."""
    return {f"n{number}": f"$n{number + 1}" for number in range(length)} | {f"n{length}": "end"}


def test_a_chain_of_names_is_followed_and_has_an_end() -> None:
    """People write a few on top of each other; the bound is where no reading of a file needs to go."""
    assert expanded("$n0", chain(38)) == "end"
    with pytest.raises(CannotExpandError, match="nested too deep"):
        expanded("$n0", chain(39))


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
    fields = {"service": "smtp", "type": "inet", "chroot": "n", "command": f"smtpd {arguments}".strip()}
    captures = Captures(
        directory="/etc/postfix",
        root="/etc/postfix",
        all_parameters=Said(stdout="myhostname = mx1\n"),
        service_fields=Said(stdout="".join(f"smtp/inet/{name} = {value}\n" for name, value in fields.items())),
    )
    (service,) = configuration_of(captures).services
    assert (service.name, service.type, service.command, service.is_chrooted) == ("smtp", "inet", "smtpd", False)
    assert service.is_readable is is_readable
