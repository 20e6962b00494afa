"""Servers on which verdicts are tried: each about one matter, with options over one main.cf that admits listed clients.

`SOURCE` is where the clients come from. `OPTIONS` are parameters, `SPELLED` the options of smtpd(8) as they stand in
master.cf, `LINES` whole lines of it, in which PORT is the address and port, NUMBER the port, and SAYS the name in the
log.
"""

from collections.abc import Mapping

__all__ = ["LINES", "LISTED_TABLES", "MAIN_CF", "OPTIONS", "OTHER_FILES", "SOURCE", "SPELLED"]

SOURCE = "127.0.0.7"
_NETWORK = "127.0.0.0"
_CONF = "$config_directory"
_ROWS = f"texthash:{_CONF}/rows"
_OTHERS = "reject_unauth_destination"
_CLIENT, _HELO, _SENDER, _RELAY, _RCPT = (
    f"smtpd_{name}_restrictions" for name in ("client", "helo", "sender", "relay", "recipient")
)
_LEVEL, _CHAIN, _CLASSES = "smtpd_tls_security_level", "smtpd_tls_chain_files", "smtpd_restriction_classes"
_DIGEST, _CLIENTS, _NETS = "smtpd_tls_fingerprint_digest", "relay_clientcerts", "mynetworks"
_KEYWORDS = "smtpd_discard_ehlo_keywords"
_NO_DELAY = {"smtpd_delay_reject": "no"}
_WRAPPED = {"smtpd_tls_wrappermode": "yes"}
_ENCRYPT = {_LEVEL: "encrypt"}

MAIN_CF: Mapping[str, str] = {
    "compatibility_level": "3.6",
    "myhostname": "mx1.example.test",
    "mydestination": "mx1.example.test",
    _CHAIN: f"{_CONF}/chain.pem",
    _LEVEL: "may",
    "smtpd_tls_ask_ccert": "yes",
    "smtpd_tls_CAfile": f"{_CONF}/ca.pem",
    _DIGEST: "sha256",
    _CLIENTS: _ROWS,
    _RELAY: f"permit_mynetworks, permit_sasl_authenticated, permit_tls_clientcerts, {_OTHERS}",
    _NETS: "192.0.2.254/32",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_tls_auth_only": "yes",
    "smtpd_peername_lookup": "no",
    "smtpd_error_sleep_time": "0",
    "postscreen_greet_wait": "1s",
    "postscreen_cache_map": "",
    # As Debian has them for port 587, and a class.
    "mua_relay": "permit_sasl_authenticated, reject",
    _CLASSES: "of_users",
    "of_users": "permit_sasl_authenticated, reject",
}
LISTED_TABLES: Mapping[str, str] = {"rows": "sha256", "rows-sha1": "sha1", "rows-md5": "md5", "rows-hash": "sha256"}
"""Tables with a row for one client by its certificate, and for another by its key, by their digest."""
OTHER_FILES: Mapping[str, str] = {
    "empty": "",
    "garbage": "hello\n",
    "nets": f"{SOURCE}\n",
    "ok": f"{SOURCE} OK\n",
    "cidr": f"{_NETWORK}/8 OK\n",
}

OPTIONS: Mapping[str, Mapping[str, str]] = {
    "plain": {},
    # TLS
    "wrapped": _WRAPPED,
    "wrapped-none": {**_WRAPPED, _LEVEL: "none"},
    "wrapped-required": {**_WRAPPED, "smtpd_tls_req_ccert": "yes"},
    "encrypt-required": {**_ENCRYPT, "smtpd_tls_req_ccert": "yes", "smtpd_tls_ask_ccert": "no"},
    "may-required": {"smtpd_tls_req_ccert": "yes", "smtpd_tls_ask_ccert": "no"},
    "not-asked": {"smtpd_tls_ask_ccert": "no"},
    "none": {_LEVEL: "none"},
    "used": {_LEVEL: "", "smtpd_use_tls": "yes"},
    "enforced": {_LEVEL: "", "smtpd_enforce_tls": "yes"},
    "none-enforced": {_LEVEL: "none", "smtpd_enforce_tls": "yes"},
    "level-in-capitals": {_LEVEL: "Encrypt"},
    "level-of-clients": {_LEVEL: "verify"},
    "level-dane": {_LEVEL: "dane"},
    "chain-missing": {_CHAIN: "/nonexistent/chain.pem"},
    "chain-missing-encrypt": {_CHAIN: "/nonexistent/chain.pem", **_ENCRYPT},
    "chain-garbage": {_CHAIN: f"{_CONF}/garbage"},
    "chain-backwards": {_CHAIN: f"{_CONF}/cert.pem {_CONF}/key.pem"},
    "chain-in-two": {_CHAIN: f"{_CONF}/key.pem, {_CONF}/cert.pem"},
    "chain-mismatch": {_CHAIN: f"{_CONF}/other-key.pem {_CONF}/cert.pem"},
    "chain-none": {_CHAIN: ""},
    "chain-relative": {_CHAIN: "chain.pem"},
    "chain-empty": {_CHAIN: f"{_CONF}/empty"},
    "chain-of-key": {_CHAIN: f"{_CONF}/key.pem"},
    "chain-of-certificate": {_CHAIN: f"{_CONF}/cert.pem"},
    "chain-of-authority-first": {_CHAIN: f"{_CONF}/key.pem {_CONF}/ca.pem {_CONF}/cert.pem"},
    "chain-with-passphrase": {_CHAIN: f"{_CONF}/locked.pem"},
    "chain-expired": {_CHAIN: f"{_CONF}/expired.pem"},
    "chain-and-pair": {
        _CHAIN: "/nonexistent/chain.pem",
        "smtpd_tls_cert_file": f"{_CONF}/cert.pem",
        "smtpd_tls_key_file": f"{_CONF}/key.pem",
    },
    "authorities-in-no-directory": {"smtpd_tls_CApath": "/nonexistent/ca", "smtpd_tls_CAfile": ""},
    "parameters-missing": {"smtpd_tls_dh1024_param_file": "/nonexistent/dh.pem"},
    "curve-unknown": {"tls_eecdh_auto_curves": "nosuch", "tls_eecdh_strong_curve": "nosuch"},
    "log-level-wrong": {"smtpd_tls_loglevel": "nosuch"},
    "excluded-unknown": {"smtpd_tls_exclude_ciphers": "nosuch"},
    "depth-negative": {"smtpd_tls_ccert_verifydepth": "-1"},
    "pair": {_CHAIN: "", "smtpd_tls_cert_file": f"{_CONF}/cert.pem", "smtpd_tls_key_file": f"{_CONF}/key.pem"},
    "pair-backwards": {_CHAIN: "", "smtpd_tls_cert_file": f"{_CONF}/backwards.pem"},
    "pair-mismatch": {
        _CHAIN: "",
        "smtpd_tls_cert_file": f"{_CONF}/cert.pem",
        "smtpd_tls_key_file": f"{_CONF}/other-key.pem",
    },
    "pair-of-curves": {_CHAIN: "", "smtpd_tls_eccert_file": f"{_CONF}/chain.pem", "smtpd_tls_cert_file": "none"},
    "authorities-missing": {"smtpd_tls_CAfile": "/nonexistent/ca.pem"},
    "authorities-garbage": {"smtpd_tls_CAfile": f"{_CONF}/garbage"},
    "protocols-wrong": {"smtpd_tls_protocols": ">=TLS1.2"},
    "protocols-old": {"smtpd_tls_protocols": "<=TLSv1"},
    "protocols-mandatory": {"smtpd_tls_mandatory_protocols": "TLSv1.2+"},
    "protocols-mandatory-encrypt": {"smtpd_tls_mandatory_protocols": "TLSv1.2+", **_ENCRYPT},
    "ciphers-wrong": {"smtpd_tls_ciphers": "strong"},
    "ciphers-mandatory-encrypt": {"smtpd_tls_mandatory_ciphers": "strong", **_ENCRYPT},
    "ciphers-unknown": {"tls_high_cipherlist": "NOSUCH", "smtpd_tls_ciphers": "high"},
    "config-missing": {"tls_config_file": "/nonexistent/openssl.cnf"},
    "keywords-tls": {_KEYWORDS: "starttls"},
    "keywords-auth": {_KEYWORDS: "AUTH"},
    "keywords-by-table": {"smtpd_discard_ehlo_keyword_address_maps": "cidr:{{0.0.0.0/0 starttls}}"},
    # Listed clients
    "sha1": {_DIGEST: "sha1", _CLIENTS: f"texthash:{_CONF}/rows-sha1"},
    "md5": {_DIGEST: "md5", _CLIENTS: f"texthash:{_CONF}/rows-md5"},
    "other-digest": {_DIGEST: "md5"},
    "digest-in-capitals": {_DIGEST: "SHA256"},
    "digest-wrong": {_DIGEST: "sha257"},
    "digest-by-level": {
        "compatibility_level": "2",
        _CLIENTS: f"texthash:{_CONF}/rows-md5",
        _DIGEST: "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}",
    },
    "rows-hash": {_CLIENTS: f"hash:{_CONF}/rows-hash"},
    "rows-static": {_CLIENTS: "static:x"},
    "rows-missing": {_CLIENTS: "hash:/nonexistent/rows"},
    "rows-of-no-type": {_CLIENTS: "mysql:/nonexistent/rows"},
    "rows-bare": {_CLIENTS: f"{_CONF}/rows"},
    "rows-relative": {_CLIENTS: "texthash:rows"},
    "rows-proxied": {_CLIENTS: f"proxy:{_ROWS}"},
    "rows-first-missing": {_CLIENTS: f"hash:/nonexistent/rows {_ROWS}"},
    "rows-second": {_CLIENTS: f"texthash:{_CONF}/empty, {_ROWS}"},
    "all-trusted": {_RELAY: f"permit_tls_all_clientcerts {_OTHERS}"},
    "all-trusted-of-others": {
        _RELAY: f"permit_tls_all_clientcerts {_OTHERS}",
        "smtpd_tls_CAfile": f"{_CONF}/foreign-ca.pem",
    },
    "all-trusted-of-nobody": {_RELAY: f"permit_tls_all_clientcerts {_OTHERS}", "smtpd_tls_CAfile": ""},
    # Lists
    "recipient-only": {_RELAY: "", _RCPT: f"permit_tls_clientcerts,{_OTHERS}"},
    "recipient-own": {_RCPT: _OTHERS},
    "recipient-before": {
        "smtpd_relay_before_recipient_restrictions": "no",
        _RCPT: "permit_tls_clientcerts,reject",
    },
    "warned": {_RELAY: f"WARN_IF_REJECT {_OTHERS}, permit_tls_clientcerts, {_OTHERS}"},
    "warned-only": {_RELAY: f"warn_if_reject {_OTHERS}", _RCPT: ""},
    "nested": {_CLASSES: "a b c", _RELAY: f"a, {_OTHERS}", "a": "b", "b": "c", "c": "permit_tls_clientcerts"},
    "cycle": {_CLASSES: "a b", _RELAY: f"permit_tls_clientcerts a {_OTHERS}", "a": "b", "b": "a"},
    "class-in-capitals": {_CLASSES: "Open", _RELAY: f"open {_OTHERS}", "Open": "permit"},
    "class-undeclared": {_RELAY: f"permit_tls_clientcerts open {_OTHERS}", "open": "permit"},
    "class-undefined": {_CLASSES: "nowhere"},
    "class-refuses": {_CLASSES: "a", _RELAY: "a", _RCPT: "", "a": "permit_tls_clientcerts REJECT"},
    "class-permits-first": {_CLASSES: "a", _RELAY: f"a {_OTHERS}", _RCPT: "", "a": "permit"},
    "class-bare": {_CLASSES: "a", _SENDER: "a", "a": "static:reject"},
    "only-capitals": {_RELAY: "permit_tls_clientcerts REJECT", _RCPT: ""},
    "all-capitals": {_RELAY: "Permit_TLS_ClientCerts Reject_Unauth_Destination", _RCPT: ""},
    "permit-alone": {_RELAY: f"permit, {_OTHERS}", _RCPT: ""},
    "deferred-only": {_RELAY: "permit_tls_clientcerts defer_if_permit", _RCPT: ""},
    "unknown-client": {_CLIENT: "permit_nobody"},
    "unknown-helo": {_HELO: "rejekt"},
    "unknown-behind": {_RELAY: f"permit_tls_clientcerts {_OTHERS} nonsense"},
    "table-static": {_CLIENT: "check_client_access static:reject"},
    "table-number": {_RELAY: f"check_recipient_access static:123 {_OTHERS}"},
    "table-row-of-restrictions": {_RCPT: "check_recipient_access static:{permit_tls_clientcerts, reject}"},
    "table-in-braces": {_RELAY: f"check_client_access {{ texthash:{_CONF}/ok }} {_OTHERS}"},
    "table-texthash": {_RELAY: f"check_client_access texthash:{_CONF}/ok {_OTHERS}"},
    "table-of-certificates": {
        _RELAY: f"check_ccert_access {{ {_ROWS}, {{ search_order = pubkey_fingerprint }} }} {_OTHERS}",
    },
    "plaintext": {_SENDER: "reject_plaintext_session"},
    "login-mismatch": {_SENDER: "reject_sender_login_mismatch"},
    "login-mismatch-users": {_SENDER: "reject_authenticated_sender_login_mismatch"},
    "login-mismatch-known": {_SENDER: "reject_known_sender_login_mismatch"},
    "early-client": {**_NO_DELAY, _CLIENT: "permit_tls_clientcerts,reject"},
    "early-client-wrapped": {**_NO_DELAY, **_WRAPPED, _CLIENT: "permit_tls_clientcerts,reject"},
    "early-sender": {**_NO_DELAY, _SENDER: "permit_tls_clientcerts,permit_sasl_authenticated,reject"},
    "early-sender-of-recipient": {**_NO_DELAY, _SENDER: _OTHERS},
    # Networks
    "net-exact": {_NETS: SOURCE},
    "net-then-broken": {_NETS: f"{SOURCE} 10.0.0.1/8"},
    "net-behind-broken": {_NETS: f"10.0.0.1/8 {SOURCE}"},
    "net-excluded": {_NETS: f"!{SOURCE}, {_NETWORK}/24"},
    "net-excluded-late": {_NETS: f"{_NETWORK}/24, !{SOURCE}"},
    "net-excluded-twice": {_NETS: f"!!{SOURCE}"},
    "net-mapped": {_NETS: f"[::ffff:{SOURCE}]"},
    "net-bits": {_NETS: f"{SOURCE}/24"},
    "net-mask": {_NETS: f"{_NETWORK}/255.255.255.0"},
    "net-short": {_NETS: "127.0.0"},
    "net-short-bits": {_NETS: "127/8"},
    "net-padded": {_NETS: "127.000.000.007"},
    "net-bracketed": {_NETS: f"[{_NETWORK}]/24"},
    "net-bare6": {_NETS: f"fe80::1, {SOURCE}"},
    "net-file": {_NETS: f"{_CONF}/nets"},
    "net-file-missing": {_NETS: "/nonexistent/nets"},
    "net-table": {_NETS: f"cidr:{_CONF}/cidr"},
    "net-table-missing": {_NETS: "hash:/nonexistent/nets"},
    "net-static": {_NETS: "static:all"},
    "net-semicolon": {_NETS: f"10.0.0.0/8;{SOURCE}"},
    "net-reference": {_NETS: "$nets", "nets": SOURCE},
    # Users
    "exceptions": {"smtpd_sasl_exceptions_networks": f"{_NETWORK}/24"},
    "in-clear": {"smtpd_tls_auth_only": "no"},
    "no-logins": {"smtpd_sasl_auth_enable": "No"},
    "no-plain-passwords-in-clear": {
        "smtpd_sasl_security_options": "noanonymous, noplaintext",
        "smtpd_sasl_tls_security_options": "noanonymous",
    },
    "no-plain-passwords": {"smtpd_sasl_security_options": "noanonymous, noplaintext"},
    "login-server-missing": {"smtpd_sasl_path": "private/nobody"},
    # Domains, routes and tables
    "own-destination": {"mydestination": "elsewhere.test"},
    "own-relay-domains": {"relay_domains": "elsewhere.test"},
    "own-alias-table": {"virtual_alias_maps": "hash:/nonexistent/aliases"},
    "own-destination-table": {"mydestination": "hash:/nonexistent/domains"},
    "own-relay-table": {"relay_domains": "hash:/nonexistent/domains"},
    "own-route-table": {"transport_maps": "hash:/nonexistent/routes"},
    "recipients-unchecked": {"smtpd_reject_unlisted_recipient": "no", "virtual_alias_maps": "hash:/nonexistent/x"},
    # Others that decide
    "policy": {_SENDER: "check_policy_service inet:127.0.0.1:1"},
    "milter": {"smtpd_milters": "inet:127.0.0.1:1"},
    "milter-not-here": {"smtpd_milters": "inet:127.0.0.1:1", "receive_override_options": "no_milters"},
}

_OF_USERS = "smtpd_relay_restrictions=permit_sasl_authenticated,reject"
SPELLED: Mapping[str, str] = {
    "submission": f"-o {_LEVEL}=encrypt -o smtpd_client_restrictions=permit_sasl_authenticated,reject",
    "submission-new": f"-o {_LEVEL}=encrypt -o smtpd_recipient_restrictions= -o {_OF_USERS}",
    "submissions": f"-o smtpd_tls_wrappermode=yes -o {_OF_USERS}",
    "glued": f"-o{_OF_USERS}",
    "braces": "-o {smtpd_relay_restrictions = permit_sasl_authenticated, reject}",
    "braces-glued": "-o{smtpd_relay_restrictions=permit_sasl_authenticated, reject}",
    "braces-in-value": "-o smtpd_relay_restrictions={permit_sasl_authenticated, reject}",
    "blank-in-front": f"-o {_OF_USERS.replace('=', ' =', 1)}",
    "verbose": f"-v -o {_OF_USERS}",
    "twice": f"-o {_OF_USERS} -o smtpd_relay_restrictions=permit_tls_clientcerts,reject",
    "by-reference": "-o smtpd_relay_restrictions=$mua_relay",
    "by-class": "-o smtpd_relay_restrictions=of_users",
    "by-undefined": "-o smtpd_client_restrictions=$mua_client",
    "own-name": f"-o nets={SOURCE} -o mynetworks=$nets",
    "of-no-meaning": "-o nosuchparameter=yes",
    "of-other-programs": "-o smtp_sasl_auth_enable=maybe",
}
_SCREEN = "PORT inet n - n - 1 postscreen SAYS -o smtpd_service_name=passNUMBER"
LINES: Mapping[str, str] = {
    "not-chrooted": "PORT inet n - n - - smtpd SAYS",
    "as-root": "PORT inet n n n - - smtpd SAYS",
    "said-twice": f"PORT inet n - n - - smtpd SAYS\nPORT inet n - n - - smtpd SAYS -o {_OF_USERS}",
    "screened": f"{_SCREEN}\npassNUMBER pass - - n - - smtpd SAYS",
    "screened-users": f"{_SCREEN}\npassNUMBER pass - - n - - smtpd SAYS -o {_OF_USERS}",
    "screened-in-vain": f"{_SCREEN} -o {_OF_USERS}\npassNUMBER pass - - n - - smtpd SAYS",
}
