#include "proxy/http_door.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

#include "config/host_name.hpp"
#include "config/origin.hpp"
#include "filters/host_meta.hpp"
#include "proxy/digests.hpp"

namespace stanzagate::proxy {
namespace {

using Headers = std::vector<std::pair<std::string_view, std::string>>;

// RFC 6455 section 1.3.
constexpr std::string_view websocket_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

HttpResponse not_allowed(std::string allow) {
    auto response = plain_response(405);
    response.headers.emplace_back("Allow", std::move(allow));
    return response;
}

// 16 bytes in base64 (RFC 6455 section 4.1, step 7).
bool is_websocket_key(std::string_view key) {
    return key.size() == 24 && key.ends_with("==") &&
           std::all_of(key.begin(), key.end() - 2, [](char c) {
               return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                      c == '+' || c == '/';
           });
}

// A page of another site speaks for whoever looks at it: it may only where the operator says so. A
// client that is no browser sends no origin.
bool origin_is_welcome(const HttpRequest& request, const config::Http& settings) {
    auto const* const origin = request.header("Origin");
    return !origin || config::origin_allowed(settings.allow_origins, *origin);
}

// RFC 6455 section 4.2.1, RFC 7395 section 3.1.
HttpRoute open_websocket(const HttpRequest& request, const config::Http& settings) {
    if (request.method != "GET") return not_allowed("GET");
    bool const upgrades = request.lists("Connection", "upgrade") &&
                          request.lists("Upgrade", "websocket") && !request.http_1_0;
    auto const* const version = request.header("Sec-WebSocket-Version");
    if (!upgrades || !version || *version != "13") {
        auto response = plain_response(426);
        response.headers.emplace_back("Upgrade", "websocket");
        response.headers.emplace_back("Connection", "Upgrade");
        response.headers.emplace_back("Sec-WebSocket-Version", "13");
        return response;
    }
    if (!origin_is_welcome(request, settings)) return plain_response(403);
    auto const* const key = request.header("Sec-WebSocket-Key");
    if (!key || !is_websocket_key(*key)) return plain_response(400);
    if (!request.lists("Sec-WebSocket-Protocol", "xmpp")) return plain_response(400);
    return WebsocketUpgrade{
        {101,
         {{"Upgrade", "websocket"},
          {"Connection", "Upgrade"},
          {"Sec-WebSocket-Accept", sha1_base64(*key + std::string(websocket_guid))},
          {"Sec-WebSocket-Protocol", "xmpp"}}}};
}

// No credentials are ever meant, so that "*" may stand for all.
Headers cors_headers(const HttpRequest& request, const config::Http& settings) {
    auto const& allowed = settings.allow_origins;
    if (std::find(allowed.begin(), allowed.end(), "*") != allowed.end())
        return {{"Access-Control-Allow-Origin", "*"}};
    Headers headers{{"Vary", "Origin"}};
    if (auto const* const origin = request.header("Origin"))
        headers.emplace_back("Access-Control-Allow-Origin", *origin);
    return headers;
}

HttpRoute serve_bosh(const HttpRequest& request, const config::Http& settings) {
    if (request.method != "POST" && request.method != "OPTIONS")
        return not_allowed("POST, OPTIONS");
    if (!origin_is_welcome(request, settings)) return plain_response(403);
    auto headers = cors_headers(request, settings);
    if (request.method == "POST") return BoshPost{std::move(headers)};
    headers.emplace_back("Access-Control-Allow-Methods", "POST, OPTIONS");
    headers.emplace_back("Access-Control-Allow-Headers", "Content-Type");
    headers.emplace_back("Access-Control-Max-Age", "86400");
    headers.emplace_back("Allow", "POST, OPTIONS");
    return HttpResponse{204, std::move(headers)};
}

// "example.org:8443", the host in lower case. The port is part of what is told on.
struct Authority {
    std::string host;
    std::uint16_t port = 443;
};

std::optional<Authority> authority_of(const HttpRequest& request) {
    auto const* const header = request.header("Host");
    if (!header) return std::nullopt;
    auto const colon = header->find(':');
    Authority authority{config::ascii_lower(header->substr(0, colon))};
    if (!config::is_host_name(authority.host)) return std::nullopt;
    if (colon == std::string::npos) return authority;
    auto const* const end = header->data() + header->size();
    auto const [rest, error] = std::from_chars(header->data() + colon + 1, end, authority.port);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return authority;
}

// XEP-0156 section 3. Public, so that any page may read it.
HttpRoute serve_host_meta(const HttpRequest& request, const config::Config& config,
                          const config::Listen& door, bool json) {
    if (request.method != "GET" && request.method != "HEAD") return not_allowed("GET, HEAD");
    auto const authority = authority_of(request);
    if (!authority || !config.find_host(authority->host)) return plain_response(404);
    auto const& settings = config.http;
    auto const links = filters::host_meta_links(
        {.host = authority->host,
         .port = authority->port,
         .websocket_path = door.served.websocket ? settings.websocket_path : std::string_view{},
         .bosh_path = door.served.bosh ? settings.bosh_path : std::string_view{}});
    return HttpResponse{200,
                        {{"Content-Type", std::string(json ? filters::host_meta_json_content_type
                                                           : filters::host_meta_content_type)},
                         {"Access-Control-Allow-Origin", "*"}},
                        json ? filters::host_meta_json(links) : filters::host_meta_xml(links)};
}

}  // namespace

HttpRoute route(const HttpRequest& request, const config::Config& config,
                const config::Listen& door) {
    auto const& settings = config.http;
    auto const& path = request.path;
    if (door.served.websocket && path == settings.websocket_path)
        return open_websocket(request, settings);
    if (door.served.bosh && path == settings.bosh_path) return serve_bosh(request, settings);
    if (settings.host_meta &&
        (path == filters::host_meta_path || path == filters::host_meta_json_path))
        return serve_host_meta(request, config, door, path == filters::host_meta_json_path);
    return plain_response(404);
}

}  // namespace stanzagate::proxy
