#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The framing of WebSocket (RFC 6455 section 5), as a server reads and writes it. No extensions:
// in particular no compression, which would let a stranger's text be measured beside a secret.
namespace stanzagate::filters {

// Why a WebSocket is closed (RFC 6455 section 7.4.1).
enum class WebsocketClose : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    unsupported_data = 1003,  // not text
    policy_violation = 1008,
    too_big = 1009,
    internal_error = 1011,
};

// What a client has said: a whole text message, or a control frame.
struct WebsocketInput {
    enum class Kind : std::uint8_t { text, ping, pong, close };
    Kind kind = Kind::text;
    std::string_view payload;           // of a close: without the code. Not checked to be UTF-8.
    std::optional<std::uint16_t> code;  // of a close
};

// Cuts a client's bytes into messages. Control frames come out between the fragments of a message,
// as they came in.
//   feed() and next() in any order; after error(), next() gives nothing more
// A message comes out as soon as its last byte was fed. One that is longer than `most_bytes` is
// refused when its length is known, before its bytes are. Between messages no memory is held.
class WebsocketDecoder {
public:
    explicit WebsocketDecoder(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    void feed(std::string_view bytes);
    // Nothing: more bytes are needed, or error(). What it says is valid until the next call.
    std::optional<WebsocketInput> next();

    // What was given out is needed no more.
    void release();

    std::optional<WebsocketClose> error() const { return error_; }
    // Bytes have been fed that next() has not come to: it may have more to give.
    bool pending() const { return at_ < buffer_.size() && !waits_ && !error_; }
    void limit(std::size_t most_bytes) { most_bytes_ = most_bytes; }

private:
    struct Head {
        bool final = false;
        std::uint8_t opcode = 0;
        std::size_t size = 0;   // of the head, with the mask
        std::size_t bytes = 0;  // of the payload
    };

    std::optional<Head> read_head();
    bool may_come(const Head& head);
    std::string_view unmask(const Head& head);
    std::optional<WebsocketInput> take(const Head& head);
    WebsocketInput control(const Head& head);
    std::nullopt_t fail(WebsocketClose why);

    std::size_t most_bytes_;
    std::string buffer_;  // fed and not consumed, from `at_` on
    std::size_t at_ = 0;
    std::string message_;  // the fragments so far
    bool fragmented_ = false;
    bool delivered_ = false;  // message_ was given out
    bool waits_ = false;      // what is in the buffer is no whole frame
    std::optional<WebsocketClose> error_;
};

// One frame for the client.
std::string websocket_text(std::string_view text);
std::string websocket_pong(std::string_view payload);
std::string websocket_close(WebsocketClose code);

}  // namespace stanzagate::filters
