#include "proxy/admin_pages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/proxy/test_report.hpp"

namespace stanzagate::proxy {
namespace {

HttpResponse asked(const std::string& path, const std::string& method = "GET",
                   bool draining = false) {
    HttpRequest request;
    request.method = method;
    request.path = path;
    return admin_response(request, [draining] {
        auto report = testing::test_report();
        report.draining = draining;
        return report;
    });
}

std::string header(const HttpResponse& response, std::string_view name) {
    for (auto const& [key, value] : response.headers)
        if (key == name) return value;
    return {};
}

TEST(AdminPages, AreThere) {
    for (auto const* const path : {"/metrics", "/healthz", "/readyz", "/status.json", "/"}) {
        auto const response = asked(path);
        EXPECT_EQ(response.status, 200U) << path;
        EXPECT_FALSE(response.body.empty()) << path;
        EXPECT_FALSE(response.head_only) << path;
        auto const head = asked(path, "HEAD");
        EXPECT_EQ(head.status, 200U) << path;
        EXPECT_TRUE(head.head_only) << path;
        EXPECT_EQ(head.body.size(), response.body.size()) << path;
    }
    EXPECT_EQ(header(asked("/metrics"), "Content-Type"),
              "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(header(asked("/status.json"), "Content-Type"), "application/json");
    EXPECT_EQ(header(asked("/"), "Content-Type"), "text/html; charset=utf-8");
}

TEST(AdminPages, TellWhetherItAccepts) {
    EXPECT_EQ(asked("/readyz", "GET", true).status, 503U);
    EXPECT_EQ(asked("/healthz", "GET", true).status, 200U);
}

TEST(AdminPages, KnowNothingElse) {
    for (auto const* const path : {"", "/metrics/", "/index.html", "/healthz/..", "//"})
        EXPECT_EQ(asked(path).status, 404U) << path;
    for (auto const* const method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
        auto const response = asked("/status.json", method);
        EXPECT_EQ(response.status, 405U) << method;
        EXPECT_EQ(header(response, "Allow"), "GET, HEAD") << method;
    }
}

TEST(AdminPages, AreNotKeptAndNotGuessedAt) {
    for (auto const* const path : {"/metrics", "/healthz", "/readyz", "/status.json", "/", "/x"}) {
        EXPECT_EQ(header(asked(path), "Cache-Control"), "no-store") << path;
        EXPECT_EQ(header(asked(path), "X-Content-Type-Options"), "nosniff") << path;
    }
}

// The page is one file: what it would fetch from elsewhere, its policy would not let it.
TEST(AdminPages, ThePageStandsAlone) {
    auto const policy = header(asked("/"), "Content-Security-Policy");
    EXPECT_TRUE(
        policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; "
                           "script-src 'unsafe-inline'; connect-src 'self'; "
                           "img-src data:"))
        << policy;
    EXPECT_TRUE(status_page.starts_with("<!DOCTYPE html>"));
    EXPECT_TRUE(status_page.ends_with("</html>\n"));
    for (auto const* const outside : {"https://", "src=", "@import", "innerHTML", "url("})
        EXPECT_EQ(status_page.find(outside), std::string_view::npos) << outside;
}

}  // namespace
}  // namespace stanzagate::proxy
