#include "proxy/admin_pages.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "config/address.hpp"

namespace stanzagate::proxy {
namespace {

// The page loads nothing but what it asks /status.json for, and stands in no other page.
constexpr std::string_view page_policy =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

HttpResponse answer(std::string_view type, std::string body) {
    return {200, {{"Content-Type", std::string(type)}}, std::move(body)};
}

HttpResponse readiness(bool draining) {
    auto response = plain_response(draining ? 503 : 200);
    response.body = draining ? "draining\n" : "ready\n";
    return response;
}

HttpResponse page() {
    auto response = answer("text/html; charset=utf-8", std::string(status_page));
    response.headers.emplace_back("Content-Security-Policy", page_policy);
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    return response;
}

// "127.0.0.1:9090", "[::1]", "localhost:9090"; in any case of letters (RFC 9110 section 4.2.3).
bool is_own_name(std::string_view host) {
    auto const bracket = host.rfind(']');
    auto const colon = host.rfind(':');
    if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket))
        host = host.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (config::Address::parse(host)) return true;
    constexpr std::string_view localhost = "localhost";
    return std::ranges::equal(host, localhost, [](char written, char meant) {
        return written == meant ||
               (written >= 'A' && written <= 'Z' && written - 'A' + 'a' == meant);
    });
}

// Without the header (HTTP/1.0) it is no browser that asks.
bool is_called_by_own_names(const HttpRequest& request) {
    return std::ranges::all_of(request.all("host"), is_own_name);
}

HttpResponse misdirected() {
    auto response = plain_response(421);
    response.body =
        "Ask for this by an IP address or as \"localhost\": a request with another name in its "
        "Host "
        "header is answered only with server.admin_public = true.\n";
    return response;
}

HttpResponse route(const HttpRequest& request, const std::function<Report()>& report) {
    auto const& path = request.path;
    if (path == "/healthz") return plain_response(200);
    if (path == "/readyz") return readiness(report().draining);
    if (path == "/metrics")
        return answer("text/plain; version=0.0.4; charset=utf-8", metrics_text(report()));
    if (path == "/status.json") return answer("application/json", status_json(report()));
    if (path == "/") return page();
    return plain_response(404);
}

}  // namespace

HttpResponse admin_response(const HttpRequest& request, AdminNames names,
                            const std::function<Report()>& report) {
    bool const reads = request.method == "GET" || request.method == "HEAD";
    bool const is_meant = names == AdminNames::any || is_called_by_own_names(request);
    auto response = !is_meant ? misdirected()
                    : reads   ? route(request, report)
                              : plain_response(405);
    if (is_meant && !reads) response.headers.emplace_back("Allow", "GET, HEAD");
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.head_only = request.method == "HEAD";
    return response;
}

}  // namespace stanzagate::proxy
