#include "tests/filters/random_stream.hpp"

#include <initializer_list>

namespace stanzagate::filters {
namespace {

constexpr const char* streams = "http://etherx.jabber.org/streams";
constexpr const char* mechanisms =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>SCRAM-SHA-1</mechanism>"
    "</mechanisms>";

// Unlike the operands of +, those of a list are evaluated in order: one seed makes the same stream
// with every compiler.
std::string join(std::initializer_list<std::string> parts) {
    std::string joined;
    for (auto const& part : parts) joined += part;
    return joined;
}

}  // namespace

std::string RandomStream::space(bool needed) {
    std::string const all = " \t\r\n";
    std::string written;
    if (needed) written += below(5) == 0 ? all[below(4)] : ' ';
    while (below(6) == 0) written += all[below(4)];
    return written;
}

std::string RandomStream::quoted(const std::string& value) {
    char const quote = below(2) == 0 ? '\'' : '"';
    auto written = join({space(false), "=", space(false), {quote}});
    for (char const c : value) {
        if (below(12) == 0)
            written += "&#" + std::to_string(static_cast<int>(c)) + ";";
        else
            written += c;
    }
    return written + quote;
}

// Character data that may stand between tags, or in quotes of that kind. No piece ends with "]", so
// that "]]>", which may not stand in text, cannot come about.
std::string RandomStream::text(char quote) {
    std::string written;
    for (auto left = below(12); left > 0; --left) {
        auto piece = one_of<std::string>({"a",
                                          "Z",
                                          "0",
                                          " ",
                                          "\n",
                                          "\t",
                                          "x y",
                                          "&lt;",
                                          "&gt;",
                                          "&amp;",
                                          "&apos;",
                                          "&quot;",
                                          "&#65;",
                                          "&#x1F600;",
                                          "&#10;",
                                          "'",
                                          "\"",
                                          ">",
                                          "/>",
                                          "=",
                                          "\xC3\xA9",
                                          "\xE2\x82\xAC",
                                          "\xF0\x9F\x98\x80",
                                          "\xF4\x8F\xBF\xBD",
                                          "\xEF\xBB\xBF",
                                          "\x7F",
                                          "]x",
                                          "]]&gt;",
                                          "-->",
                                          "?>",
                                          "jabber:iq:register"});
        if (piece.size() == 1 && piece[0] == quote) piece = "&#39;";
        written += piece;
    }
    return written;
}

std::string RandomStream::content(unsigned depth) {
    std::string written;
    for (auto left = below(5); left > 0; --left) {
        switch (below(4)) {
            case 0:
                written += "<![CDATA[" +
                           one_of<std::string>({"", "</a>", "<!-- -->", "<?x?>", "]]", "]>", "&",
                                                "\xF0\x9F\x98\x80", "<query xmlns='"}) +
                           "]]>";
                break;
            case 1:
                written += text('\0');
                break;
            default:
                if (depth < 9) written += nested(depth + 1, "");
        }
    }
    return written;
}

// An element with attributes and content. `name` is one of the default namespace, or empty.
std::string RandomStream::nested(unsigned depth, const std::string& name) {
    std::string const prefix = one_of<std::string>({"", "", "p", "q-1", "\xC3\xA9", "_"});
    std::string full = name;
    std::string attributes;
    if (full.empty()) {
        full =
            one_of<std::string>({"a", "query", "x", "body", "error", "\xCE\xB1\xCE\xB2", "n.0-_"});
        auto const ns =
            one_of<std::string>({"urn:x", "jabber:x:data", "http://jabber.org/protocol/disco#info",
                                 "jabber:client", "urn:xmpp:ping"});
        if (!prefix.empty()) {
            full.insert(0, prefix + ":");
            attributes += join({space(true), "xmlns:", prefix, quoted(ns)});
            if (below(3) == 0) attributes += join({space(true), prefix, ":attr", quoted("v")});
        } else if (below(2) == 0) {
            attributes += join({space(true), "xmlns", quoted(ns)});
        }
    }
    for (auto left = below(4); left > 0; --left) {
        char const quote = below(2) == 0 ? '\'' : '"';
        attributes +=
            join({space(true), "a", std::to_string(left), "=", {quote}, text(quote), {quote}});
    }
    if (name == "iq") {
        attributes +=
            join({space(true), "type", quoted(one_of<std::string>({"get", "set", "result"}))});
        attributes += join({space(true), "id", quoted("i" + std::to_string(++ids_))});
    }
    if (below(4) == 0) return join({"<", full, attributes, space(false), "/>"});
    return join(
        {"<", full, attributes, space(false), ">", content(depth), "</", full, space(false), ">"});
}

std::string RandomStream::element() {
    return nested(1, one_of<std::string>({"message", "presence", "iq", ""}));
}

std::string RandomStream::filler() {
    return space(true);
}

std::string RandomStream::client_header() {
    auto const declaration = one_of<std::string>({"", "\n ", "<?xml version='1.0'?>",
                                                  "<?xml version=\"1.0\" encoding='utf-8'?>\r\n",
                                                  "<?xml version='1.0' standalone='yes'?>"});
    auto const prefix = one_of<std::string>({"stream", "s", "\xC3\xA9"});
    return join({declaration,
                 "<",
                 prefix,
                 ":stream",
                 space(true),
                 "to",
                 quoted("example.org"),
                 space(true),
                 "xmlns:",
                 prefix,
                 quoted(streams),
                 space(true),
                 "version",
                 quoted("1.0"),
                 space(true),
                 "xmlns",
                 quoted("jabber:client"),
                 space(true),
                 "xml:lang",
                 quoted("en"),
                 space(false),
                 ">"});
}

std::string RandomStream::upstream_header() {
    return join({"<?xml version='1.0'?><stream:stream", space(true), "xmlns:stream",
                 quoted(streams), space(true), "xmlns", quoted("jabber:client"), space(true),
                 "from", quoted("example.org"), space(true), "id", quoted("42"), space(true),
                 "version", quoted("1.0"), space(false), ">"});
}

std::string RandomStream::features() {
    return join({"<stream:features", space(false), ">", content(7), mechanisms, content(7),
                 "</stream:features", space(false), ">"});
}

std::string RandomStream::noise(std::size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += static_cast<char>(below(256));
    return bytes;
}

}  // namespace stanzagate::filters
