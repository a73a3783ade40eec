#include "filters/server_inquiry.hpp"

#include <algorithm>
#include <charconv>

#include "filters/document_reader.hpp"
#include "filters/xml_escape.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view request_id = "stanzagate-check";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// "0b5cf6c4-0d0f-4d7c-9d8e-0c1f2a3b4c5d"
bool is_uuid(std::string_view id) {
    constexpr std::size_t size = 36;
    if (id.size() != size) return false;
    for (std::size_t i = 0; i < size; ++i) {
        bool const hyphen = i == 8 || i == 13 || i == 18 || i == 23;
        bool const hexadecimal = is_digit(id[i]) || (id[i] >= 'a' && id[i] <= 'f');
        if (hyphen ? id[i] != '-' : !hexadecimal) return false;
    }
    return true;
}

bool is_long_number(std::string_view id) {
    return id.size() >= 15 && std::all_of(id.begin(), id.end(), is_digit);
}

// Both begin with the same declaration. Prosody's stream ids are UUIDs, ejabberd's random numbers.
ServerKind recognise(const Frame& header) {
    auto const id = header.attributes.id.value_or("");
    if (!header.raw.starts_with("<?xml version='1.0'?>")) return ServerKind::unknown;
    if (is_uuid(id)) return ServerKind::prosody;
    return is_long_number(id) ? ServerKind::ejabberd : ServerKind::unknown;
}

std::optional<std::size_t> number(std::string_view text) {
    while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_xml_space(text.back())) text.remove_suffix(1);
    std::size_t value = 0;
    auto const [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (end != text.end() || error != std::errc{}) return std::nullopt;
    return value;
}

void add_mechanisms(const Element& list, std::vector<std::string>& mechanisms) {
    for (auto const& child : list.children)
        if (child.local == "mechanism" &&
            std::find(mechanisms.begin(), mechanisms.end(), child.text) == mechanisms.end())
            mechanisms.push_back(child.text);
}

OfferedFeatures read_features(const Element& features) {
    OfferedFeatures offered;
    for (auto const& feature : features.children) {
        if (feature.is(Namespace::tls, "starttls")) {
            offered.starttls = true;
            offered.starttls_required = feature.child(Namespace::tls, "required") != nullptr;
        }
        if (feature.is(Namespace::sasl, "mechanisms") ||
            feature.is(Namespace::sasl2, "authentication"))
            add_mechanisms(feature, offered.mechanisms);
        if (feature.is(Namespace::limits, "limits"))
            if (auto const* const most = feature.child(Namespace::limits, "max-bytes"))
                offered.max_bytes = number(most->text);
        offered.compression |= feature.is(Namespace::compress_feature, "compression");
        offered.registration |= feature.is(Namespace::register_feature, "register");
        offered.channel_binding_types |= feature.is(Namespace::other, "sasl-channel-binding");
    }
    return offered;
}

// The condition of a stream error, or of the <error/> in a stanza: the first element in it that is
// not its text.
std::string condition_of(const Element& error) {
    for (auto const& child : error.children)
        if (child.local != "text") return child.local;
    return "undefined-condition";
}

// Something to fill in, rather than something to read: a field, or a data form (XEP-0004), whose
// namespace is known by its text.
bool is_field(const Element& child, std::string_view query) {
    if (child.is(Namespace::other, "x"))
        return query.substr(child.begin, child.content_begin - child.begin).find("jabber:x:data") !=
               std::string_view::npos;
    return child.ns == Namespace::iq_register && child.local != "instructions" &&
           child.local != "registered";
}

std::string header_to(const std::string& host) {
    Attributes header;
    header.to = host;
    header.version = "1.0";
    return opening_header(header);
}

}  // namespace

ServerInquiry::ServerInquiry(std::string_view host)
    : framer_(upstream_limits), host_(host), opening_(header_to(host_)) {}

std::string ServerInquiry::receive(std::string_view bytes) {
    std::string to_send;
    if (done_) return to_send;
    framer_.feed(bytes);
    while (!done_) {
        auto const* const frame = framer_.next();
        if (!frame) break;
        if (frame->kind == Frame::Kind::stream_open) {
            server_header_ = frame->raw;
            answers_.kind = recognise(*frame);
        }
        if (frame->kind == Frame::Kind::stream_close) done_ = true;
        if (frame->kind == Frame::Kind::stanza) to_send += on_element(*frame);
    }
    if (!done_ && framer_.error()) answers_.no_xmpp = done_ = true;
    return to_send;
}

std::string ServerInquiry::on_element(const Frame& element) {
    auto const& root = element.root;
    if (root.is(Namespace::streams, "error")) {
        answers_.stream_error = condition_of(root);
        done_ = true;
    } else if (root.is(Namespace::streams, "features") && !answers_.features) {
        return on_features(element);
    } else if (root.is(Namespace::client, "iq") && answers_.asked_to_register &&
               element.attributes.id == request_id) {
        on_reply(element);
    }
    return {};
}

std::string ServerInquiry::on_features(const Frame& features) {
    answers_.features = read_features(features.root);
    // Only with mod_caps, and for certain.
    if (features.raw.find("process-one.net/en/ejabberd") != std::string_view::npos)
        answers_.kind = ServerKind::ejabberd;
    // A server that lets nobody log in yet tells nobody how to register either.
    if (answers_.features->mechanisms.empty()) {
        done_ = true;
        return {};
    }
    answers_.asked_to_register = true;
    std::string request = "<iq type='get'";
    append_attribute(request, "id", request_id);
    append_attribute(request, "to", host_);
    return request + "><query xmlns='jabber:iq:register'/></iq>";
}

void ServerInquiry::on_reply(const Frame& iq) {
    done_ = true;
    if (iq.attributes.type == "error") {
        answers_.registration = RegistrationReply::refused;
        answers_.refusal = "undefined-condition";
        if (auto const* const error = iq.root.child(Namespace::client, "error"))
            read_inside(*error, iq,
                        [&](const Frame& whole) { answers_.refusal = condition_of(whole.root); });
        return;
    }
    answers_.registration = RegistrationReply::redirect;
    if (auto const* const query = iq.root.child(Namespace::iq_register, "query"))
        read_inside(*query, iq, [&](const Frame& whole) {
            for (auto const& child : whole.root.children)
                if (is_field(child, whole.raw)) answers_.registration = RegistrationReply::form;
        });
}

// A frame has no grandchildren: what they are is found by reading the child as a first-level
// element.
void ServerInquiry::read_inside(const Element& child, const Frame& stanza,
                                const std::function<void(const Frame&)>& read) const {
    auto const scope = declarations_in(stanza.raw.substr(0, stanza.root.content_begin));
    StanzaFramer framer(upstream_limits);
    framer.feed(server_header_);
    if (framer.next() == nullptr) return;
    framer.feed(standalone(stanza.raw.substr(child.begin, child.end - child.begin), scope));
    if (auto const* const frame = framer.next()) read(*frame);
}

}  // namespace stanzagate::filters
