#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The client's end of WebSocket's framing (RFC 6455 section 5), for tests.
namespace stanzagate::filters::testing {

// A masked frame; a wrong one too, if asked for.
std::string client_frame(unsigned opcode, std::string_view payload, bool final = true);

struct ServerFrame {
    unsigned opcode = 0;
    std::string payload;
    bool operator==(const ServerFrame&) const = default;
};
// The whole frames at the beginning of `bytes`, which are taken off it.
std::vector<ServerFrame> take_server_frames(std::string& bytes);
// The same where nothing else is to be there; it is a test failure if there is.
std::vector<ServerFrame> server_frames(std::string bytes);

}  // namespace stanzagate::filters::testing
