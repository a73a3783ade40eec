#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "filters/shared_text.hpp"

namespace stanzagate::proxy {

// An HTTP/1.1 response (RFC 9112). Content-Length is added where the status may have a body.
// Nothing in it says who made it.
struct HttpResponse {
    unsigned status = 200;
    std::vector<std::pair<std::string_view, std::string>> headers{};
    filters::SharedText body{};
    bool head_only = false;  // to a HEAD: the length is told, the body is not
};

// `keep_alive`: whether the connection goes on after it.
std::string write_http_head(const HttpResponse& response, bool keep_alive);
// What follows its headers.
std::string_view body_to_send(const HttpResponse& response);
// Both.
std::string write_http_response(const HttpResponse& response, bool keep_alive);

// A short page that says what the status says.
HttpResponse plain_response(unsigned status);

}  // namespace stanzagate::proxy
