#include "filters/starttls_client.hpp"

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view request = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

}  // namespace

StartTlsClient::StartTlsClient(std::string_view host)
    : framer_(upstream_limits),
      opening_(
          "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams'") {
    append_attribute(opening_, "to", host);
    opening_ += " version='1.0'>";
}

std::string StartTlsClient::receive(std::string_view bytes) {
    std::string to_send;
    framer_.feed(bytes);
    while (state_ == State::waiting) {
        auto const* const frame = framer_.next();
        if (!frame) break;
        if (frame->kind == Frame::Kind::stream_close) fail("the server closed its stream");
        if (frame->kind == Frame::Kind::stanza) on_element(*frame, to_send);
    }
    if (state_ == State::waiting && framer_.error()) fail("the server sent no XMPP stream");
    return to_send;
}

void StartTlsClient::on_element(const Frame& element, std::string& to_send) {
    auto const& root = element.root;
    if (root.is(Namespace::streams, "error"))
        return fail("the server answered with a stream error");
    if (root.is(Namespace::tls, "failure")) return fail("the server refused STARTTLS");
    if (root.is(Namespace::streams, "features") && !asked_) {
        if (!root.child(Namespace::tls, "starttls"))
            return fail("the server does not offer STARTTLS");
        asked_ = true;
        to_send += request;
        return;
    }
    if (!asked_ || !root.is(Namespace::tls, "proceed")) return;
    // Bytes behind <proceed/> would be taken for what came through TLS.
    if (!framer_.rest().empty())
        return fail("the server sent bytes in the clear behind <proceed/>");
    state_ = State::proceed;
}

void StartTlsClient::fail(std::string_view why) {
    state_ = State::failed;
    failure_ = why;
}

}  // namespace stanzagate::filters
