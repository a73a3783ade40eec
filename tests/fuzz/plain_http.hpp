#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Where an HTTP/1 request ends, to whoever reads it as strictly as RFC 9112 writes it down: each
// line ends in CR LF and holds neither, none goes on with the next, and the length is told once or
// not at all. Written anew and in the plainest way, so that it shares nothing with what is tested.
namespace stanzagate::proxy {

struct PlainRequest {
    std::size_t size = 0;  // of all of it
    std::string body;
};

// The request at the beginning of the bytes. Nothing: there is none, or it is not that strict.
std::optional<PlainRequest> read_plain_request(std::string_view bytes);

}  // namespace stanzagate::proxy
