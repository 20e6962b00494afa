"""Typed settings of a receiving host: domains, lookup maps and restriction lists.

Field names are parameters of postconf(5). `postfix.receiving_checks` judges what they open, and
`postfix.receiving_rendering` makes parameters and tables of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Final

from postfix.tables import TableType

__all__ = ["DOMAINS_BY_DEFAULT", "DomainList", "Domains", "LookupTable", "Maps", "Restrictions"]

DOMAINS_BY_DEFAULT: Final[Mapping[str, str]] = MappingProxyType(
    {"virtual_alias_maps": "virtual_alias_domains", "virtual_mailbox_maps": "virtual_mailbox_domains"}
)
"""Maps whose keys also decide for which domains mail is received, by the list that is taken from them (postconf(5))."""


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A lookup table: one whose rows are declared here, or one of the host that is named as unknown.

        postfix.LookupTable(rows={"info@example.org": "alice@example.org"})
        postfix.LookupTable(unknown_table="ldap:/etc/postfix/aliases.cf")

    Give either rows or an unknown table.

    Args:
        rows: Value by key. It becomes a file of the host, called like its parameter. Default: none.
        table_type: `texthash`, `hash`, `lmdb`, `cdb` or `btree`. Default: the host's.
        unknown_table: A table that the host has already, as `type:/path`. What it holds is not checked, and previews
            list it under `unknown_tables`. Default: none.
    """

    rows: Mapping[str, str] = field(default_factory=dict)
    table_type: TableType | None = None
    unknown_table: str = ""


@dataclass(frozen=True, slots=True)
class DomainList:
    """Domains by name, by table, or both.

        postfix.DomainList(("example.org", "example.net"))

    Args:
        names: Domain names. `localhost`, `$myhostname`, `$mydomain` and names below `$mydomain` are understood in
            mydestination, `$mydomain` and `$mydestination` in relay_domains. Default: none.
        tables: Tables whose keys are domains; the values mean nothing. Default: none.
    """

    names: tuple[str, ...] = ()
    tables: tuple[LookupTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Domains:
    """For which domains a host receives mail; strangers may write to them, and to nobody else.

        postfix.Domains(mydestination=postfix.DomainList(("example.org", "localhost")))

    A domain stands in one of them. An empty `DomainList()` means no domain at all.

    Args:
        mydestination: Domains of local(8) users and aliases. Default: as of Postfix, the host itself.
        relay_domains: Domains whose mail is passed on to other servers. Unless parent_domain_matches_subdomains says
            otherwise, each stands for all names below it, too, which previews tell. Default: as of Postfix, none.
        virtual_alias_domains: Domains all of whose addresses are aliases. Default: as of Postfix, the domains in
            virtual_alias_maps.
        virtual_mailbox_domains: Domains of mailboxes without system users. Default: as of Postfix, the domains in
            virtual_mailbox_maps.
    """

    mydestination: DomainList | None = None
    relay_domains: DomainList | None = None
    virtual_alias_domains: DomainList | None = None
    virtual_mailbox_domains: DomainList | None = None

    def declared(self) -> Iterator[tuple[str, DomainList]]:
        """Yield each list that is declared, by its parameter."""
        for each in fields(self):
            if (value := getattr(self, each.name)) is not None:
                yield each.name, value


@dataclass(frozen=True, slots=True)
class Maps:
    """Lookup maps for addresses; tables are tried in their order.

        postfix.Maps(virtual_alias_maps=(postfix.LookupTable(rows={"info@example.org": "alice"}),))

    Each is a tuple of tables; an empty one means that nothing is looked up, and None what the host does anyway.

    Args:
        alias_maps: Local aliases, aliases(5): addresses only, no commands, files or `:include:`. Default: None.
        local_recipient_maps: Known local users. Default: None.
        relay_recipient_maps: Known addresses in relay_domains. Default: None.
        virtual_alias_maps: Where mail to an address goes instead, virtual(5). Default: None.
        virtual_mailbox_maps: Mailboxes in virtual_mailbox_domains. Default: None.
        canonical_maps: How addresses are rewritten, canonical(5). Default: None.
        sender_canonical_maps: How senders are rewritten. Default: None.
        recipient_canonical_maps: How recipients are rewritten. Default: None.
        relocated_maps: New addresses of people who moved, relocated(5). Default: None.
        transport_maps: Services and next hops by recipient, transport(5); tried after `transports`. Default: None.
        sender_dependent_relayhost_maps: Next hops by sender. Default: None.
        sender_dependent_default_transport_maps: Services and next hops by sender. Default: None.
        sender_bcc_maps: Who gets a copy of what somebody sends. Default: None.
        recipient_bcc_maps: Who gets a copy of what somebody receives. Default: None.
        smtpd_sender_login_maps: Logins that own a sender address. Default: None.
    """

    alias_maps: tuple[LookupTable, ...] | None = None
    local_recipient_maps: tuple[LookupTable, ...] | None = None
    relay_recipient_maps: tuple[LookupTable, ...] | None = None
    virtual_alias_maps: tuple[LookupTable, ...] | None = None
    virtual_mailbox_maps: tuple[LookupTable, ...] | None = None
    canonical_maps: tuple[LookupTable, ...] | None = None
    sender_canonical_maps: tuple[LookupTable, ...] | None = None
    recipient_canonical_maps: tuple[LookupTable, ...] | None = None
    relocated_maps: tuple[LookupTable, ...] | None = None
    transport_maps: tuple[LookupTable, ...] | None = None
    sender_dependent_relayhost_maps: tuple[LookupTable, ...] | None = None
    sender_dependent_default_transport_maps: tuple[LookupTable, ...] | None = None
    sender_bcc_maps: tuple[LookupTable, ...] | None = None
    recipient_bcc_maps: tuple[LookupTable, ...] | None = None
    smtpd_sender_login_maps: tuple[LookupTable, ...] | None = None

    def declared(self) -> Iterator[tuple[str, tuple[LookupTable, ...]]]:
        """Yield the tables of each parameter that is declared."""
        for each in fields(self):
            if (value := getattr(self, each.name)) is not None:
                yield each.name, value


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Restriction lists of smtpd(8), as texts: a restriction and, after a blank, its argument.

        postfix.Restrictions(smtpd_sender_restrictions=("reject_unknown_sender_domain", "check_sender_access blocked"),
                             tables={"blocked": postfix.LookupTable(rows={"spam.example": "REJECT"})})

    Who may relay is not said here but in `RelayPolicy`: mail has to pass smtpd_relay_restrictions as well. None leaves
    a list as the host has it. `check_..._access` takes a name from `tables`.

    Args:
        smtpd_client_restrictions: By client. Default: None.
        smtpd_helo_restrictions: By HELO name. Default: None.
        smtpd_sender_restrictions: By sender. Default: None.
        smtpd_recipient_restrictions: By recipient. Default: None.
        smtpd_data_restrictions: At DATA. Default: None.
        smtpd_end_of_data_restrictions: When the message is there. Default: None.
        smtpd_etrn_restrictions: At ETRN. Default: None.
        classes: Lists by a name of their own, which stands for them in other lists and in tables
            (smtpd_restriction_classes). Default: none.
        tables: Tables of access(5) by the name that restrictions call them. Default: none.
    """

    smtpd_client_restrictions: tuple[str, ...] | None = None
    smtpd_helo_restrictions: tuple[str, ...] | None = None
    smtpd_sender_restrictions: tuple[str, ...] | None = None
    smtpd_recipient_restrictions: tuple[str, ...] | None = None
    smtpd_data_restrictions: tuple[str, ...] | None = None
    smtpd_end_of_data_restrictions: tuple[str, ...] | None = None
    smtpd_etrn_restrictions: tuple[str, ...] | None = None
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tables: Mapping[str, LookupTable] = field(default_factory=dict)

    def declared(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each list that is declared, by its parameter."""
        for each in fields(self):
            if each.name.startswith("smtpd_") and (value := getattr(self, each.name)) is not None:
                yield each.name, value
