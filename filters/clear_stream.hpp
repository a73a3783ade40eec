#pragma once

#include <string>
#include <string_view>

#include "filters/effects.hpp"
#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {

// The part of a client's stream that is in the clear, on a STARTTLS door (RFC 6120 section 5): the
// gate's own header and features, <starttls/>, <proceed/>. Nothing of it ever reaches an upstream.
//   receive()* until it commands start_tls or close; then it is done.
class ClearStream {
public:
    // `stream_id` must be unpredictable (RFC 6120 section 4.7.3).
    ClearStream(const config::Config& config, const FrameLimits& limits, std::string stream_id);

    // Hosts are looked up in this one from now on; the old one is not needed any more.
    void use(const config::Config& config) { config_ = &config; }

    void receive(std::string_view bytes, Effects& out);
    // Ends the stream with an error, the header first where none was sent.
    void fail(StreamErrorCondition condition, Effects& out);

private:
    void on_header(const Frame& header, Effects& out);
    void on_element(const Frame& element, Effects& out);
    void send_header(Effects& out);

    const config::Config* config_;
    StanzaFramer framer_;
    std::string stream_id_;
    std::string from_;  // the host that the client asked for, once it is known to be served
    std::string to_;    // the client's own `from`
    bool header_sent_ = false;
};

}  // namespace stanzagate::filters
