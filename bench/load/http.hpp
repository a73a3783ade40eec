#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// As much HTTP/1.1 as both ends of a run speak: what they read is what the other wrote, by way of a
// proxy that may have changed the case of names and added headers.
namespace stanzagate::load {

// Cuts a connection's bytes into messages, by their Content-Length; without one there is no body.
//   feed(), then next() until it gives nothing
class HttpReader {
public:
    struct Message {
        std::string head;  // with the empty line
        std::string body;
    };

    void feed(std::string_view bytes) { buffer_ += bytes; }
    std::optional<Message> next();

private:
    std::string buffer_;
};

// What a header says; empty where there is none. `name` in lower case.
std::string_view http_header(std::string_view head, std::string_view name);

std::string http_post(std::string_view host, std::string_view path, std::string_view body);
std::string http_ok(std::string_view body);

}  // namespace stanzagate::load
