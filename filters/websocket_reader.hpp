#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "filters/stanza_framer.hpp"
#include "filters/stream_error.hpp"

namespace stanzagate::filters {

// Turns what a client says over WebSocket (RFC 7395) into the bytes of an XMPP stream: <open/>
// becomes a stream header, <close/> its closing tag, and any other element passes as it is.
//   read() for every text message; restart() when the server's SASL <success/> (RFC 6120 section
//   6.4.6, not SASL2's) goes to the client; authenticated() when the gate has let go.
// One message is one whole element, judged in the context of a header like the upstream's: it
// begins and ends between two elements of that stream. A message that is not so is refused and
// leaves no byte behind; then error() is set and nothing is read any more. Nothing is kept between
// messages, so one cannot act on the next.
// What a client sends behind a SASL element waits for the server's answer (Gate::wants()): it must
// not be read before restart() is known to be due.
class WebsocketReader {
public:
    explicit WebsocketReader(const FrameLimits& limits) : limits_(limits) {}

    // The message as stream bytes; nothing where it is refused. <close/> where <open/> is due is an
    // empty string: closed(), and no stream of the upstream's to close.
    [[nodiscard]] std::optional<std::string> read(std::string_view message);

    // The next message must open a new stream.
    void restart() { state_ = State::opening; }
    // From now on messages are the server's business: `limits` only keep the memory bounded.
    void authenticated(const FrameLimits& limits) { limits_ = limits; }

    // The host that the client's last good <open/> was for; empty before it.
    const std::string& host() const { return host_; }
    // The client has sent <close/>.
    bool closed() const { return state_ == State::closed; }
    std::optional<StreamErrorCondition> error() const { return error_; }
    // True where the message was too long.
    bool too_big() const { return too_big_; }

private:
    enum class State : std::uint8_t { opening, open, closed };

    std::optional<std::string> read_first(std::string_view message);
    std::optional<std::string> read_next(std::string_view message);
    std::optional<std::string> refuse(StreamErrorCondition condition, bool too_big = false);

    FrameLimits limits_;
    State state_ = State::opening;
    std::string host_;
    std::optional<StreamErrorCondition> error_;
    bool too_big_ = false;
};

}  // namespace stanzagate::filters
