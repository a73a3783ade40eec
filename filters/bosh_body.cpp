#include "filters/bosh_body.hpp"

#include <algorithm>
#include <charconv>

#include "filters/document_reader.hpp"
#include "filters/xml_escape.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view xbosh = "urn:xmpp:xbosh";
constexpr std::size_t looked_at_for_sid = 4096;

// A declaration on <body/> is written into each element that uses it, which may be thousands.
constexpr std::size_t most_carried_along = std::size_t{16} * 1024;

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value = 0;
    auto const* const begin = text.data();
    auto const* const end = begin + text.size();
    auto const [rest, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return value;
}

std::optional<BoshVersion> version(std::string_view text) {
    auto const dot = text.find('.');
    if (dot == std::string_view::npos) return std::nullopt;
    auto const first = number<unsigned>(text.substr(0, dot));
    auto const second = number<unsigned>(text.substr(dot + 1));
    if (!first || !second) return std::nullopt;
    return BoshVersion{*first, *second};
}

// The attribute's name without its prefix, where that prefix is one of XMPP over BOSH.
std::optional<std::string_view> xbosh_name(std::string_view name, const Scope& scope) {
    auto const colon = name.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto const found = std::find_if(scope.begin(), scope.end(), [&](auto const& declaration) {
        return declaration.prefix == name.substr(0, colon);
    });
    if (found == scope.end() || attribute_value(found->quoted) != xbosh) return std::nullopt;
    return name.substr(colon + 1);
}

// False where its value is not what it must be.
bool take_attribute(std::string_view name, std::string value, BoshBody& body) {
    struct Text {
        std::string_view name;
        std::optional<std::string> BoshBody::* member;
    };
    struct Count {
        std::string_view name;
        std::optional<std::uint64_t> BoshBody::* member;
    };
    constexpr Text texts[] = {{"sid", &BoshBody::sid},         {"to", &BoshBody::to},
                              {"from", &BoshBody::from},       {"xml:lang", &BoshBody::lang},
                              {"content", &BoshBody::content}, {"key", &BoshBody::key},
                              {"newkey", &BoshBody::newkey},   {"stream", &BoshBody::stream}};
    constexpr Count counts[] = {{"rid", &BoshBody::rid},
                                {"wait", &BoshBody::wait},
                                {"hold", &BoshBody::hold},
                                {"pause", &BoshBody::pause},
                                {"ack", &BoshBody::ack}};
    for (auto const& text : texts) {
        if (text.name != name) continue;
        body.*text.member = std::move(value);
        return true;
    }
    for (auto const& count : counts) {
        if (count.name != name) continue;
        body.*count.member = number<std::uint64_t>(value);
        return (body.*count.member).has_value();
    }
    if (name == "ver") {
        body.ver = version(value);
        return body.ver.has_value();
    }
    if (name == "type") body.terminate = value == "terminate";
    return true;
}

bool take_attributes(std::string_view start_tag, const Scope& scope, BoshBody& body) {
    for (auto const& attribute : written_attributes(start_tag)) {
        auto value = attribute_value(attribute.quoted);
        auto const name = xbosh_name(attribute.name, scope);
        if (name == "version")
            body.xmpp_version = std::move(value);
        else if (name == "restart")
            body.restart = value == "true" || value == "1";
        else if (!take_attribute(attribute.name, std::move(value), body))
            return false;
    }
    return !body.rid || (*body.rid > 0 && *body.rid <= most_rid);
}

// False where something stands between the elements, or one of them may not be there, or too much
// would have to be carried along.
bool take_payload(const Frame& frame, const Scope& scope, BoshBody& body) {
    auto const& root = frame.root;
    auto at = root.content_begin;
    std::size_t carried = 0;
    for (auto const& element : root.children) {
        if (!is_xml_blank(frame.raw.substr(at, element.begin - at))) return false;
        if (element.is(Namespace::streams, "stream")) return false;
        auto const written = frame.raw.substr(element.begin, element.end - element.begin);
        auto const whole = standalone(written, scope);
        carried += whole.size() - written.size();
        if (carried > most_carried_along) return false;
        body.payload += whole;
        at = element.end;
    }
    return is_xml_blank(frame.raw.substr(at, root.content_end - at));
}

}  // namespace

std::optional<BoshBody> read_body(std::string_view bytes, const FrameLimits& limits) {
    while (!bytes.empty() && is_xml_space(bytes.front())) bytes.remove_prefix(1);
    DocumentReader reader(bare_header, limits);
    auto const* const frame = reader.read(bytes);
    if (!frame || !frame->root.is(Namespace::httpbind, "body")) return std::nullopt;

    BoshBody body;
    auto const start_tag = frame->raw.substr(0, frame->root.content_begin);
    auto scope = declarations_in(start_tag);
    if (!take_attributes(start_tag, scope, body)) return std::nullopt;
    // BOSH's own namespace is not carried along; another default is.
    std::erase_if(scope, [](auto const& declaration) {
        return declaration.prefix.empty() &&
               namespace_of(attribute_value(declaration.quoted)) == Namespace::httpbind;
    });
    if (!take_payload(*frame, scope, body)) return std::nullopt;
    return body;
}

std::optional<std::string> sid_of(std::string_view bytes) {
    auto head = bytes.substr(0, looked_at_for_sid);
    auto begin = head.find('<');
    if (head.substr(std::min(begin, head.size())).starts_with("<?"))
        begin = head.find('<', begin + 1);
    if (begin == std::string_view::npos) return std::nullopt;
    for (auto const& attribute : written_attributes(head.substr(begin)))
        if (attribute.name == "sid") return attribute_value(attribute.quoted);
    return std::nullopt;
}

std::string write_body(const BodyAttributes& attributes, std::string_view payload,
                       bool declares_stream) {
    std::string text = "<body xmlns='http://jabber.org/protocol/httpbind'";
    bool const declares_xmpp =
        std::any_of(attributes.begin(), attributes.end(),
                    [](auto const& attribute) { return attribute.first.starts_with("xmpp:"); });
    if (declares_xmpp) text += " xmlns:xmpp='urn:xmpp:xbosh'";
    if (declares_stream) text += " xmlns:stream='http://etherx.jabber.org/streams'";
    for (auto const& [name, value] : attributes) append_attribute(text, name, value);
    if (payload.empty()) return text + "/>";
    constexpr std::string_view end = "</body>";
    text.reserve(text.size() + 1 + payload.size() + end.size());  // it is kept: not a byte more
    text += '>';
    text += payload;
    text += end;
    return text;
}

}  // namespace stanzagate::filters
