#include "filters/registration.hpp"

#include <algorithm>
#include <optional>

#include "config/rules.hpp"
#include "filters/instructions.hpp"
#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

bool asks_for_registration(const Element& child) {
    return child.ns == Namespace::iq_register || child.is(Namespace::extensible_ibr, "register");
}

std::string_view condition(config::Refusal refusal) {
    switch (refusal) {
        case config::Refusal::not_authorized:
            return "not-authorized";
        case config::Refusal::not_allowed:
            return "not-allowed";
        case config::Refusal::forbidden:
            return "forbidden";
        case config::Refusal::not_acceptable:
            return "not-acceptable";
    }
    return "not-authorized";
}

// An answer swaps `to` and `from` and repeats the id (RFC 6120 section 8.2.3). The namespace is
// written out: it is right under either style of stream header (RFC 6120 section 4.8.2).
std::string open_iq(std::string_view type, const std::optional<std::string>& id,
                    const std::optional<std::string>& from, const std::optional<std::string>& to) {
    std::string xml = "<iq xmlns='jabber:client'";
    append_attribute(xml, "type", type);
    if (id) append_attribute(xml, "id", *id);
    if (from) append_attribute(xml, "from", *from);
    if (to) append_attribute(xml, "to", *to);
    xml += '>';
    return xml;
}

std::string redirect(const RegistrationRequest& request, const Instructions& instructions) {
    auto xml = open_iq("result", request.id, request.to, request.from);
    xml += "<query xmlns='jabber:iq:register'><instructions>";
    xml += xml_escape(instructions.text);
    xml += "</instructions>";
    if (!instructions.oob_url.empty()) {
        xml += "<x xmlns='jabber:x:oob'><url>";
        xml += xml_escape(instructions.oob_url);
        xml += "</url></x>";
    }
    xml += "</query></iq>";
    return xml;
}

std::string refusal(const RegistrationRequest& request, config::Refusal refusal,
                    const Instructions& instructions) {
    auto xml = open_iq("error", request.id, request.to, request.from);
    xml += "<error type='cancel'><";
    xml += condition(refusal);
    xml += " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>";
    if (!instructions.text.empty()) {
        xml += "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'";
        append_attribute(xml, "xml:lang", instructions.lang);
        xml += '>';
        xml += xml_escape(instructions.text);
        xml += "</text>";
    }
    xml += "</error></iq>";
    return xml;
}

}  // namespace

std::optional<RegistrationRequest> registration_request(const Frame& frame) {
    auto const& root = frame.root;
    auto const& attributes = frame.attributes;
    RegistrationRequest request;
    request.id = attributes.id;
    request.to = attributes.to;
    request.from = attributes.from;
    request.lang = attributes.lang;

    if (root.is(Namespace::extensible_ibr, "register")) {
        request.kind = RequestKind::flow;
        request.stanza = false;
        request.creates = true;
        return request;
    }
    if (root.local != "iq") return std::nullopt;
    auto const wanted =
        std::find_if(root.children.begin(), root.children.end(), asks_for_registration);
    if (wanted == root.children.end()) return std::nullopt;

    auto const& type = attributes.type;
    bool const is_answer = type == "result" || type == "error";
    if (is_answer && !attributes.qualified) return std::nullopt;
    request.ambiguous = (type != "get" && type != "set") || root.children.size() != 1;
    request.creates = type == "set";
    request.kind = request.creates ? RequestKind::set : RequestKind::get;
    if (wanted->ns == Namespace::extensible_ibr) request.kind = RequestKind::flow;
    return request;
}

std::string answer(const RegistrationRequest& request, const Decision& decision,
                   const AnswerContext& context) {
    auto const lang = request.lang ? std::string_view(*request.lang) : context.stream_lang;
    std::optional<config::Registration> overridden;
    if (decision.decided_by)
        overridden = config::with_overrides(*decision.registration, decision.decided_by->answer);
    auto const& settings = overridden ? *overridden : *decision.registration;
    auto const instructions = instructions_for(settings, context.host, context.peer.address, lang);
    // Where the operator left nothing to tell, a redirect would be an empty page: an error says
    // more.
    bool const redirected = decision.action == Action::redirect &&
                            request.kind == RequestKind::get && !instructions.text.empty();
    if (redirected) return redirect(request, instructions);
    return refusal(request, settings.refusal, instructions);
}

std::string bad_request(const Attributes& attributes) {
    auto xml = open_iq("error", attributes.id, attributes.to, attributes.from);
    xml +=
        "<error type='modify'><bad-request "
        "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";
    return xml;
}

}  // namespace stanzagate::filters
