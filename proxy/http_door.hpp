#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.hpp"
#include "proxy/http_request.hpp"
#include "proxy/http_response.hpp"

namespace stanzagate::proxy {

// The connection becomes a WebSocket (RFC 6455 section 4.2) once `response` was said.
struct WebsocketUpgrade {
    HttpResponse response;
};
// A BOSH request; every response to it has these headers (Fetch, "CORS protocol").
struct BoshPost {
    std::vector<std::pair<std::string_view, std::string>> headers;
};
using HttpRoute = std::variant<HttpResponse, WebsocketUpgrade, BoshPost>;

// What is to be done with a request that came through `door`: its doors are WebSocket (RFC 7395),
// BOSH (XEP-0124), and the documents that tell of them (XEP-0156). There is nothing else here, and
// who asks for it learns nothing. A HEAD is answered as a GET: who sends it leaves out the body.
HttpRoute route(const HttpRequest& request, const config::Config& config,
                const config::Listen& door);

}  // namespace stanzagate::proxy
