#include "bench/load/websocket.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <stdexcept>

#include "bench/load/http.hpp"

namespace stanzagate::load {
namespace {

// RFC 6455 section 5.2.
constexpr std::uint8_t final_text = 0x81;
constexpr std::uint8_t final_close = 0x88;
constexpr std::uint8_t masked = 0x80;
constexpr std::array<char, 4> mask{'\x37', '\x1a', '\x59', '\x6e'};

std::string head(std::uint8_t first, std::size_t bytes, std::uint8_t mask_bit) {
    std::string text{static_cast<char>(first)};
    unsigned length_bytes = 0;
    if (bytes < 126) {
        text += static_cast<char>(mask_bit | bytes);
    } else {
        length_bytes = bytes <= 0xffff ? 2 : 8;
        text += static_cast<char>(mask_bit | (length_bytes == 2 ? 126U : 127U));
    }
    for (; length_bytes > 0; --length_bytes)
        text += static_cast<char>(bytes >> 8 * (length_bytes - 1) & 0xffU);
    return text;
}

void toggle_mask(char* payload, std::size_t bytes, const char* with) {
    for (std::size_t i = 0; i < bytes; ++i)
        payload[i] = static_cast<char>(payload[i] ^ with[i % 4]);
}

std::string masked_frame(std::uint8_t first, std::string_view payload) {
    auto frame = head(first, payload.size(), masked);
    frame.append(mask.data(), mask.size());
    auto const begin = frame.size();
    frame += payload;
    toggle_mask(frame.data() + begin, payload.size(), mask.data());
    return frame;
}

// Section 4.2.2.
std::string accept_value(std::string_view key) {
    auto const text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::array<unsigned char, 64> encoded{};
    auto const length = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(size));
    return {encoded.begin(), encoded.begin() + length};
}

}  // namespace

std::string masked_text(std::string_view payload) {
    return masked_frame(final_text, payload);
}

std::string masked_close() {
    return masked_frame(final_close, std::string_view("\x03\xe8", 2));
}

std::string unmasked_text(std::string_view payload) {
    return head(final_text, payload.size(), 0) + std::string(payload);
}

std::optional<std::string_view> FrameReader::next() {
    buffer_.erase(0, taken_);
    taken_ = 0;
    if (buffer_.empty()) buffer_ = {};
    if (closed_ || buffer_.size() < 2) return std::nullopt;
    auto const byte = [&](std::size_t at) { return static_cast<std::uint8_t>(buffer_[at]); };
    std::size_t size = 2;
    std::size_t bytes = byte(1) & 0x7fU;
    if (bytes >= 126) {
        std::size_t const more = bytes == 126 ? 2 : 8;
        size += more;
        if (buffer_.size() < size) return std::nullopt;
        bytes = 0;
        for (std::size_t at = 2; at < size; ++at) bytes = bytes << 8U | byte(at);
    }
    bool const is_masked = (byte(1) & masked) != 0;
    if (is_masked) size += mask.size();
    if (buffer_.size() < size + bytes) return std::nullopt;
    taken_ = size + bytes;
    if (byte(0) == final_close) {
        closed_ = true;
        return std::nullopt;
    }
    if (byte(0) != final_text) throw std::runtime_error("a frame that is no text");
    auto* const payload = buffer_.data() + size;
    if (is_masked) toggle_mask(payload, bytes, payload - mask.size());
    return std::string_view(payload, bytes);
}

std::string websocket_request(std::string_view host, std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nUser-Agent: stanzagate_load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: xmpp\r\n"
           "Sec-WebSocket-Version: 13\r\n\r\n";
}

std::string websocket_response(std::string_view request_head) {
    auto const key = http_header(request_head, "sec-websocket-key");
    if (key.empty()) throw std::runtime_error("no WebSocket was asked for");
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           accept_value(key) + "\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n";
}

}  // namespace stanzagate::load
