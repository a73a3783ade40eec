#include "tests/filters/websocket_client.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace stanzagate::filters::testing {
namespace {

std::string in_bytes(std::size_t number, unsigned bytes) {
    std::string out;
    for (unsigned byte = bytes; byte-- > 0;) out += static_cast<char>(number >> (8 * byte) & 0xff);
    return out;
}

std::optional<ServerFrame> take_frame(std::string& bytes) {
    if (bytes.size() < 2) return std::nullopt;
    auto const at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
    std::size_t head = 2;
    std::size_t size = at(1) & 0x7fU;
    if (size >= 126) {
        std::size_t const more = size == 126 ? 2 : 8;
        if (bytes.size() < head + more) return std::nullopt;
        size = 0;
        for (std::size_t i = 0; i < more; ++i) size = size << 8U | at(head + i);
        head += more;
    }
    EXPECT_EQ(at(0) & 0xf0U, 0x80U) << "a server's frame is whole and has no extension";
    EXPECT_EQ(at(1) & 0x80U, 0U) << "a server does not mask";
    if (bytes.size() < head + size) return std::nullopt;
    ServerFrame frame{at(0) & 0x0fU, bytes.substr(head, size)};
    bytes.erase(0, head + size);
    return frame;
}

}  // namespace

std::string client_frame(unsigned opcode, std::string_view payload, bool final) {
    constexpr std::string_view mask = "\x5a\xc3\x01\xfe";
    std::string out;
    out += static_cast<char>((final ? 0x80U : 0U) | opcode);
    if (payload.size() < 126)
        out += in_bytes(0x80 | payload.size(), 1);
    else if (payload.size() <= 0xffff)
        out += in_bytes(0x80 | 126, 1) + in_bytes(payload.size(), 2);
    else
        out += in_bytes(0x80 | 127, 1) + in_bytes(payload.size(), 8);
    out += mask;
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
    return out;
}

std::vector<ServerFrame> take_server_frames(std::string& bytes) {
    std::vector<ServerFrame> frames;
    while (auto frame = take_frame(bytes)) frames.push_back(std::move(*frame));
    return frames;
}

std::vector<ServerFrame> server_frames(std::string bytes) {
    auto frames = take_server_frames(bytes);
    EXPECT_EQ(bytes, "");
    return frames;
}

}  // namespace stanzagate::filters::testing
