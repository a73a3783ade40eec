"""Streams to send: registration requests in every disguise, faults, and random valid stanzas."""

import random

from .canonical import REGISTER

_FORM = "<username>u</username><password>p</password>"

# (request, what it is): none of these may ever be forwarded for a stranger.
REQUESTS = [
    (f"<iq type='get' id='1'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='set' id='1'><query xmlns='{REGISTER}'>{_FORM}</query></iq>", "set"),
    (f'<iq id="1" type="get" to="clear.test"><query xmlns="{REGISTER}"></query></iq>', "get"),
    (f"<iq type='get' id=''><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='get'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='get' id='a&amp;&lt;&quot;&#39;'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq xmlns='jabber:client' type='get' id='1'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='get' id='1'><r:query xmlns:r='{REGISTER}'/></iq>", "get"),
    (f"<iq xmlns:r='{REGISTER}' type='set' id='1'><r:query>{_FORM}</r:query></iq>", "set"),
    (f"<c:iq xmlns:c='jabber:client' type='get' id='1'><query xmlns='{REGISTER}'/></c:iq>", "get"),
    ("<iq type='get' id='1'><query xmlns='&#106;abber:iq:regis&#x74;er'/></iq>", "get"),
    ("<iq type='&#103;et' id='1'><query xmlns='jabber:iq:register'/></iq>", "get"),
    (f"<iq type='get' id='1'><anything xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq\n  type = 'get'\t id\n=\r\n'1' ><query xmlns = '{REGISTER}' /></iq >", "get"),
    (f"<iq type='set' id='1'> <query xmlns='{REGISTER}'>{_FORM}</query> </iq>", "set"),
    (f"<iq type='set' id='1'><![CDATA[ ]]><query xmlns='{REGISTER}'><username><![CDATA[</iq>]]>"
     "</username></query></iq>", "set"),
    (f"<iq type='get' id='1' to='CLEAR.test'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='get' id='1' to='other.example'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='get' id='1' to='who@clear.test/x'><query xmlns='{REGISTER}'/></iq>", "get"),
    (f"<iq type='set' id='1' from='admin@clear.test'><query xmlns='{REGISTER}'>{_FORM}</query>"
     "</iq>", "set"),
    (f"<iq type='set' id='1'><query xmlns='{REGISTER}'><remove/></query></iq>", "set"),
    (f"<iq type='set' id='1'><query xmlns='{REGISTER}'><x xmlns='jabber:x:data' type='submit'/>"
     "</query></iq>", "set"),
]

# One child would be read by one server and another by the next; or the type is nobody's.
BAD_REQUESTS = [
    f"<iq type='set' id='1'><query xmlns='{REGISTER}'/><ping xmlns='urn:xmpp:ping'/></iq>",
    f"<iq type='set' id='1'><ping xmlns='urn:xmpp:ping'/><query xmlns='{REGISTER}'/></iq>",
    f"<iq type='get' id='1'><query xmlns='{REGISTER}'/><query xmlns='{REGISTER}'/></iq>",
    f"<iq type='SET' id='1'><query xmlns='{REGISTER}'/></iq>",
    f"<iq type='' id='1'><query xmlns='{REGISTER}'/></iq>",
    f"<iq id='1'><query xmlns='{REGISTER}'/></iq>",
]

# (name, bytes, the condition of the stream error)
FAULTS = [
    ("unclosed", b"<message><body></message>", "not-well-formed"),
    ("bad attribute", b"<message id=1/>", "not-well-formed"),
    ("unbound prefix", b"<p:message/>", "not-well-formed"),
    ("text between stanzas", b"words<message/>", "bad-format"),
    ("comment", b"<message><!-- x --></message>", "restricted-xml"),
    ("comment between stanzas", b"<!-- x --><message/>", "restricted-xml"),
    ("processing instruction", b"<message><?php x ?></message>", "restricted-xml"),
    ("entity", b"<message>&nbsp;</message>", "restricted-xml"),
    ("bad UTF-8", b"<message>\xc3\x28</message>", "unsupported-encoding"),
    ("overlong UTF-8", b"<message>\xc0\xbc</message>", "unsupported-encoding"),
    ("NUL", b"<message>\0</message>", "not-well-formed"),
    ("control character", b"<message>\x01</message>", "not-well-formed"),
    ("too big", b"<message><body>" + b"x" * 17_000 + b"</body></message>", "policy-violation"),
    ("too deep", b"<message>" + b"<a>" * 16 + b"</a>" * 16 + b"</message>", "policy-violation"),
    ("too many attributes",
     b"<message " + b" ".join(b"a%d='1'" % i for i in range(33)) + b"/>", "policy-violation"),
]

_TEXTS = ["plain", "ünïcödé", "\U0001F0A1\U0001D11E", "&amp;&lt;&gt;&quot;&apos;",
          "&#65;&#x1F600;", "<![CDATA[ <not> &an; element ]]>", " \t\n ",
          "]]&gt;", "\u200b\ufeff", "'", '"']
_NAMES = ["body", "x", "a.b-c_d", "ü", "query", "iq", "p:thing", "_under"]
_NAMESPACES = ["urn:a", "jabber:x:data", "urn:ünï", "http://example.org/?a=b&amp;c",
               "jabber:client"]


def _attributes(chance: random.Random) -> str:
    names = chance.sample(["id", "to", "from", "kind", "xml:lang", "long"], chance.randint(0, 3))
    found = ""
    for name in names:
        quote = chance.choice("'\"")
        values = ["v", "a b", "ü", "&lt;&amp;", "", "&#10;", "x" * 300, "\U0001F600"]
        value = chance.choice(values)
        found += chance.choice([" ", "  ", "\n"]) + name + "=" + quote + value + quote
    return found


def _element(name: str, chance: random.Random, depth: int) -> str:
    attributes = _attributes(chance)
    if ":" in name:
        attributes += f" xmlns:p='{chance.choice(_NAMESPACES)}'"
    if chance.random() < 0.3:
        attributes += f' xmlns="{chance.choice(_NAMESPACES[:4])}"'
    if chance.random() < 0.2:
        return f"<{name}{attributes}{chance.choice(['', ' '])}/>"
    content = ""
    for _ in range(chance.randint(0, 3)):
        content += chance.choice(_TEXTS)
        if depth < 6:
            content += _element(chance.choice(_NAMES), chance, depth + 1)
    return f"<{name}{attributes}>{content}</{name}{chance.choice(['', ' '])}>"


def random_stanza(chance: random.Random) -> bytes:
    """A message or presence in the stream's own namespace: nothing that the gate decides about."""
    kind = chance.choice(["message", "presence"])
    names = [chance.choice(_NAMES) for _ in range(chance.randint(0, 3))]
    body = "".join(_element(name, chance, 1) for name in names)
    stanza = f"<{kind}{_attributes(chance)}>{body}</{kind}>".encode()
    return stanza if len(stanza) <= 16_384 else b"<presence/>"


def random_stream(chance: random.Random) -> bytes:
    """Stanzas, and between them the whitespace that keeps connections alive; a stanza ends it."""
    parts = [chance.choice([b"", b"", b" ", b"\n", b"\t\r\n"]) + random_stanza(chance)
             for _ in range(chance.randint(5, 30))]
    return b"".join(parts)
