"""The reference: what each setting of Prosody's mod_register_redirect is called in stanzagate, and
the rows that are compared."""

from dataclasses import dataclass, field

from .network import STRANGER, WHITELISTED

URL = "https://example.org/register?a=1&b=2"
TEXT = "Ask \"us\" & wait, it's <free>"


@dataclass(frozen=True)
class Row:
    """Settings by their names in [registration]; they are translated for the module."""

    name: str  # also the first label of its host
    settings: dict = field(default_factory=dict)
    instructions: str | None = None  # what a redirect says; None: the module fails
    url: str | None = None  # in the oob element; "": the module's is empty; None: no element
    client: str = STRANGER
    error_key: str = "url"  # where the module fails: the key that `check` points at

    @property
    def host(self) -> str:
        return f"{self.name}.test"

    def for_prosody(self) -> dict:
        names = {"url": "registration_url", "text": "registration_text", "oob": "registration_oob",
                 "whitelist": "registration_whitelist", "admins": "admins"}
        options = {names[key]: value for key, value in self.settings.items()}
        if options.get("registration_whitelist") == []:  # how the module says nobody
            options["registration_whitelist"] = [WHITELISTED]
            options["no_registration_whitelist"] = True
        return options | {"modules_enabled": ["register_redirect"]}


def _please_visit(url: str) -> str:
    return f"Please visit {url} to register an account on this server."


def _contact(host: str, jid: str) -> str:
    return (f"Please contact {host}'s server administrator via xmpp"
            f" to register an account on this server at: {jid}")


REDIRECTS = [
    Row("web", {"url": URL}, _please_visit(URL), URL),
    Row("plainhttp", {"url": "http://example.org/"}, _please_visit("http://example.org/"),
        "http://example.org/"),
    Row("mail", {"url": "mailto:reg@example.org"},
        "Please send an e-mail at reg@example.org to register an account on this server.",
        "mailto:reg@example.org"),
    Row("chat", {"url": "xmpp:admin@example.org"}, _contact("chat.test", "admin@example.org"),
        "xmpp:admin@example.org"),
    Row("texturl", {"text": TEXT, "url": URL}, TEXT, URL),
    Row("textftp", {"text": TEXT, "url": "ftp://x"}, TEXT, "ftp://x"),
    Row("textonly", {"text": TEXT}, TEXT, ""),
    Row("textnooob", {"text": TEXT, "url": URL, "oob": False}, TEXT, None),
    Row("nooob", {"oob": False, "admins": ["first@a.test", "second@a.test"]},
        _contact("nooob.test", "first@a.test"), None),
    Row("nooburl", {"oob": False, "url": URL, "admins": ["first@a.test"]},
        _contact("nooburl.test", "first@a.test"), None),
    Row("admins", {"admins": ["first@a.test", "second@a.test"]},
        _contact("admins.test", "first@a.test"), ""),
    Row("nobody", {"url": URL, "whitelist": []}, _please_visit(URL), URL, client=WHITELISTED),
]

# For a server whose admins are set once for all hosts.
GLOBAL_ADMINS = ["chief@example.org", "deputy@example.org"]
GLOBAL_REDIRECTS = [
    Row("globaladmin", {}, _contact("globaladmin.test", "chief@example.org"), ""),
    Row("globalnooob", {"oob": False}, _contact("globalnooob.test", "chief@example.org"), None),
    Row("ownadmin", {"admins": ["own@a.test"]}, _contact("ownadmin.test", "own@a.test"), ""),
]

# Where the module answers internal-server-error, and `check` must not let it come to that.
FAILURES = [
    Row("ftp", {"url": "ftp://foo"}),
    Row("noscheme", {"url": "noscheme"}),
    Row("textnoscheme", {"text": TEXT, "url": "noscheme"}),
    Row("nothing", {}, error_key=""),
]

# The module fails, stanzagate takes it: a scheme in capitals is a scheme.
CAPITALS = Row("capitals", {"url": "HTTPS://x.example/"}, _please_visit("HTTPS://x.example/"),
               "HTTPS://x.example/")
