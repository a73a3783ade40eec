#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// As much WebSocket (RFC 6455) as both ends of a run speak: whole text messages, and Close.
namespace stanzagate::load {

// What a client sends is masked. The mask is always the same: nobody here can tell.
std::string masked_text(std::string_view payload);
std::string masked_close();
std::string unmasked_text(std::string_view payload);

// Cuts what either end sends into frames.
//   feed(), then next() until it gives nothing
class FrameReader {
public:
    void feed(std::string_view bytes) { buffer_ += bytes; }
    // The payload of the next text frame, valid until the next call; nothing behind a Close.
    std::optional<std::string_view> next();
    bool closed() const { return closed_; }

private:
    std::string buffer_;
    std::size_t taken_ = 0;  // of the frame that was given out
    bool closed_ = false;
};

// RFC 6455 section 4: what a client asks for, and what it gets. Throws where that was not asked.
std::string websocket_request(std::string_view host, std::string_view path);
std::string websocket_response(std::string_view request_head);

}  // namespace stanzagate::load
