#include "filters/clear_stream.hpp"

#include <utility>

#include "filters/jid.hpp"
#include "filters/stream_version.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view features =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
    "</stream:features>";
constexpr std::string_view proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

}  // namespace

ClearStream::ClearStream(const config::Config& config, const FrameLimits& limits,
                         std::string stream_id)
    : config_(&config), framer_(limits), stream_id_(std::move(stream_id)) {}

void ClearStream::receive(std::string_view bytes, Effects& out) {
    framer_.feed(bytes);
    while (out.command == Command::none) {
        auto const* const frame = framer_.next();
        if (!frame) break;
        switch (frame->kind) {
            case Frame::Kind::stream_open:
                on_header(*frame, out);
                break;
            case Frame::Kind::stanza:
                on_element(*frame, out);
                break;
            case Frame::Kind::filler:
                break;
            case Frame::Kind::stream_close:
                out.to_client += closing_tag;
                out.command = Command::close;
                break;
        }
    }
    if (out.command == Command::none && framer_.error()) fail(*framer_.error(), out);
}

void ClearStream::on_header(const Frame& header, Effects& out) {
    auto const& attributes = header.attributes;
    to_ = attributes.from.value_or("");
    auto const host = domain_of(attributes.to.value_or(""));
    if (config_->find_host(host)) from_ = host;
    if (!has_features(attributes.version))
        return fail(StreamErrorCondition::unsupported_version, out);
    if (host.empty()) return fail(StreamErrorCondition::improper_addressing, out);
    if (from_.empty()) return fail(StreamErrorCondition::host_unknown, out);
    send_header(out);
    out.to_client += features;
}

void ClearStream::on_element(const Frame& element, Effects& out) {
    if (!element.root.is(Namespace::tls, "starttls"))
        return fail(StreamErrorCondition::not_authorized, out);
    // Whatever was sent behind <starttls/> would be read as if it had come through TLS
    // (CVE-2011-0411 and its kind), so there must be nothing.
    if (!framer_.rest().empty()) {
        out.refused = true;
        out.command = Command::close;
        return;
    }
    out.to_client += proceed;
    out.tls_name = from_;
    out.command = Command::start_tls;
}

void ClearStream::send_header(Effects& out) {
    if (std::exchange(header_sent_, true)) return;
    out.to_client += stream_header({stream_id_, from_, to_});
}

void ClearStream::fail(StreamErrorCondition condition, Effects& out) {
    send_header(out);
    out.to_client +=
        stream_error(condition, framer_.too_big() ? stanza_too_big : std::string_view{});
    out.stream_error = condition;
    out.command = Command::close;
}

}  // namespace stanzagate::filters
