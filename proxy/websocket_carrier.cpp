#include "proxy/websocket_carrier.hpp"

#include <utility>
#include <vector>

namespace stanzagate::proxy {
namespace {

using filters::StreamErrorCondition;
using filters::WebsocketClose;

// A message may say the same as a stanza in more bytes: an XML declaration, white space.
constexpr std::size_t beside_the_stanza = 1024;

}  // namespace

WebsocketCarrier::WebsocketCarrier(Channel channel, Scratch& scratch,
                                   const filters::FrameLimits& limits, std::string stream_id,
                                   std::string_view first)
    : channel_(std::move(channel)),
      scratch_(scratch),
      decoder_(limits.frame_bytes + beside_the_stanza),
      reader_(limits),
      stream_id_(std::move(stream_id)) {
    decoder_.feed(first);
}

// At most one recv(), so that one client cannot keep the worker, whatever it sends.
std::string_view WebsocketCarrier::read() {
    if (said_close_) {
        drop_what_comes();
        return {};
    }
    if (!decoder_.pending()) decoder_.feed(channel_.read(scratch_));
    auto const bytes = take_next();
    if (pong_ && !said_close_) channel_.write(filters::websocket_pong(*pong_));
    pong_.reset();
    return bytes;
}

std::string_view WebsocketCarrier::take_next() {
    while (auto const input = decoder_.next()) {
        auto const bytes = take(*input);
        if (!bytes.empty() || said_close_) return bytes;
    }
    if (auto const error = decoder_.error()) {
        bool const too_big = *error == WebsocketClose::too_big;
        fail(too_big ? StreamErrorCondition::policy_violation : StreamErrorCondition::bad_format,
             too_big ? filters::stanza_too_big : std::string_view{}, *error);
    }
    return {};
}

void WebsocketCarrier::consumed() {
    std::string().swap(piece_);
    decoder_.release();
}

std::string_view WebsocketCarrier::take(const filters::WebsocketInput& input) {
    using Kind = filters::WebsocketInput::Kind;
    switch (input.kind) {
        case Kind::text:
            return take_text(input.payload);
        case Kind::ping:
            // RFC 6455 section 5.5.3: of many, the last one only. A write for each would keep the
            // worker.
            pong_ = input.payload;
            return {};
        case Kind::pong:
            return {};
        case Kind::close:
            closed_by_client_ = true;
            // RFC 6455 section 5.5.1: the same code, where it is one that may be sent.
            say_close(input.code.value_or(1000) == 1002 ? WebsocketClose::protocol_error
                                                        : WebsocketClose::normal);
            return {};
    }
    return {};
}

std::string_view WebsocketCarrier::take_text(std::string_view message) {
    auto bytes = reader_.read(message);
    if (!bytes) {
        fail(reader_.error().value_or(StreamErrorCondition::bad_format),
             reader_.too_big() ? filters::stanza_too_big : std::string_view{},
             reader_.too_big() ? WebsocketClose::too_big : WebsocketClose::policy_violation);
        return {};
    }
    // <close/> where there is no stream to be closed yet.
    if (bytes->empty() && reader_.closed()) say_close(WebsocketClose::normal);
    piece_ = std::move(*bytes);
    return piece_;
}

// After our Close frame only the client's is of interest.
void WebsocketCarrier::drop_what_comes() {
    auto const bytes = channel_.read(scratch_);
    if (decoder_.error()) return;
    decoder_.feed(bytes);
    while (auto const input = decoder_.next())
        if (input->kind == filters::WebsocketInput::Kind::close) closed_by_client_ = true;
}

void WebsocketCarrier::write(std::string_view bytes) {
    say(writer_.write(bytes));
    if (writer_.failed())
        fail(StreamErrorCondition::internal_server_error, {}, WebsocketClose::internal_error);
}

void WebsocketCarrier::say(const std::vector<filters::WebsocketMessage>& messages) {
    if (said_close_) return;
    std::string frames;
    bool closed = false;
    for (auto const& message : messages) {
        frames += filters::websocket_text(message.text);
        if (message.kind == filters::StreamPiece::Kind::success) reader_.restart();
        closed = closed || message.kind == filters::StreamPiece::Kind::close;
    }
    if (closed) frames += filters::websocket_close(WebsocketClose::normal);
    said_close_ = closed;
    channel_.write(frames);
}

// Without <close/> first it tells the client that its stream was not closed, only cut: it may
// resume (XEP-0198).
void WebsocketCarrier::close_write() {
    say_close(WebsocketClose::going_away);
}

void WebsocketCarrier::shut_down() {
    fail(StreamErrorCondition::system_shutdown, {}, WebsocketClose::going_away);
}

// RFC 8446 section 6.1. Behind bytes that the client has not taken it would not arrive, and had
// better not: they are lost.
void WebsocketCarrier::say_end() {
    if (!channel_.blocked()) channel_.say_end();
}

void WebsocketCarrier::say_close(WebsocketClose code) {
    if (std::exchange(said_close_, true)) return;
    channel_.write(filters::websocket_close(code));
}

void WebsocketCarrier::fail(StreamErrorCondition condition, std::string_view detail,
                            WebsocketClose code) {
    if (said_close_) return;
    error_ = condition;
    std::string frames;
    for (auto const& message : writer_.fail(condition, detail, {stream_id_, reader_.host(), {}}))
        frames += filters::websocket_text(message.text);
    channel_.write(frames);
    say_close(code);
    // Where frames cannot be told apart any more, the client's Close would not be seen.
    if (decoder_.error()) channel_.close_write();
}

void WebsocketCarrier::authenticated() {
    decoder_.limit(most_message_bytes);
    auto limits = filters::server_limits;
    limits.frame_bytes = most_message_bytes;
    reader_.authenticated(limits);
}

bool WebsocketCarrier::readable() const {
    if (blocked()) return false;  // what it asks for is not waited for by anybody
    return channel_.readable() || decoder_.pending();
}

std::optional<SessionEnd> WebsocketCarrier::hung_up() const {
    if (!ended() && !channel_.wire().hung_up()) return std::nullopt;
    return SessionEnd::client_closed;
}

std::optional<SessionEnd> WebsocketCarrier::over() const {
    if (error_) return SessionEnd::refused;
    if (channel_.broken()) return SessionEnd::network_error;
    if (ended() && !decoder_.pending()) return SessionEnd::client_closed;
    if (!said_close_) return std::nullopt;
    return reader_.closed() ? SessionEnd::client_closed : SessionEnd::upstream_closed;
}

}  // namespace stanzagate::proxy
