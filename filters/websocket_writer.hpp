#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "filters/stream_cutter.hpp"
#include "filters/stream_error.hpp"

namespace stanzagate::filters {

// One WebSocket text message for the client.
struct WebsocketMessage {
    std::string text;
    StreamPiece::Kind kind =
        StreamPiece::Kind::element;  // success: then WebsocketReader::restart()
};

// Turns the server's stream, or the gate's, into the messages of XMPP over WebSocket (RFC 7395):
// the header becomes <open/>, the closing tag <close/>, and each first-level element a message of
// its own.
//   write() until failed() or a message of Kind::close; or fail(), then nothing
// A message comes out of the write() that brought its last byte.
class WebsocketWriter {
public:
    explicit WebsocketWriter(const FrameLimits& limits = server_limits) : cutter_(limits) {}

    std::vector<WebsocketMessage> write(std::string_view bytes);

    // True where the bytes were no XMPP stream.
    bool failed() const { return cutter_.failed(); }

    // The gate's own last word: <open/> where none went out, <stream:error/>, <close/> (RFC 7395
    // section 3.5). Nothing where <close/> went out already, or the server's own error: a stream
    // has one. `detail` as in stream_error().
    std::vector<WebsocketMessage> fail(StreamErrorCondition condition, std::string_view detail,
                                       const ResponseHeader& header);

private:
    std::vector<WebsocketMessage> messages(std::vector<StreamPiece> pieces);

    StreamCutter cutter_;
    bool opened_ = false;
    bool closed_ = false;
    bool erred_ = false;
};

}  // namespace stanzagate::filters
