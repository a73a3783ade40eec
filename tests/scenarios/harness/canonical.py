"""XML compared by meaning: attribute order, quotes, prefixes and ways of escaping do not count."""

import xml.etree.ElementTree as ET

CLIENT = "jabber:client"
STREAMS = "http://etherx.jabber.org/streams"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
REGISTER = "jabber:iq:register"
REGISTER_FEATURE = "{http://jabber.org/features/iq-register}register"
OOB = "jabber:x:oob"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def parse(text: str) -> ET.Element:
    """Elements without a namespace of their own are jabber:client."""
    return ET.fromstring(f"<root xmlns='{CLIENT}'>{text}</root>")[0]


def canonical(element: ET.Element) -> tuple:
    """Equal for elements that mean the same; what follows the element does not count."""
    children = tuple((canonical(child), child.tail or "") for child in element)
    return (element.tag, tuple(sorted(element.attrib.items())), element.text or "", children)


def show(element: ET.Element) -> str:
    """For people: names with their namespace left out where it is jabber:client."""
    for prefix, namespace in (("stream", STREAMS), ("", CLIENT)):
        if prefix:
            ET.register_namespace(prefix, namespace)
    return ET.tostring(element, encoding="unicode").strip()


def error_of(stanza: ET.Element) -> tuple[str, str, str]:
    """(type, condition, text) of an error stanza."""
    error = stanza.find(f"{{{CLIENT}}}error")
    text = error.findtext(f"{{{STANZA_ERRORS}}}text", "")
    condition = [child.tag for child in error if child.tag != f"{{{STANZA_ERRORS}}}text"]
    return error.get("type"), condition[0].removeprefix(f"{{{STANZA_ERRORS}}}"), text


def stream_error_of(element: ET.Element) -> str:
    """The condition of a <stream:error/>."""
    if element.tag != f"{{{STREAMS}}}error":
        raise AssertionError(f"not a stream error: {show(element)}")
    conditions = [child.tag for child in element if child.tag.startswith(f"{{{STREAM_ERRORS}}}")]
    return conditions[0].removeprefix(f"{{{STREAM_ERRORS}}}")
