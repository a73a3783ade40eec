#include "proxy/admin_pages.hpp"

#include <string>
#include <utility>

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

HttpResponse admin_response(const HttpRequest& request, const std::function<Report()>& report) {
    bool const reads = request.method == "GET" || request.method == "HEAD";
    auto response = reads ? route(request, report) : plain_response(405);
    if (!reads) response.headers.emplace_back("Allow", "GET, HEAD");
    response.headers.emplace_back("Cache-Control", "no-store");
    response.headers.emplace_back("X-Content-Type-Options", "nosniff");
    response.head_only = request.method == "HEAD";
    return response;
}

}  // namespace stanzagate::proxy
