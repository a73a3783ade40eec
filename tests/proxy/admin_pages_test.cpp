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
    return admin_response(request, AdminNames::own, [draining] {
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
        EXPECT_FALSE(response.body.text().empty()) << path;
        EXPECT_FALSE(response.head_only) << path;
        auto const head = asked(path, "HEAD");
        EXPECT_EQ(head.status, 200U) << path;
        EXPECT_TRUE(head.head_only) << path;
        EXPECT_EQ(head.body.text().size(), response.body.text().size()) << path;
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

// Whoever asks by another name may be a page from elsewhere, in a browser on this machine.
TEST(AdminPages, AreCalledByTheirOwnNames) {
    auto const status_for = [](std::string_view host, AdminNames names) {
        HttpRequest request;
        request.method = "GET";
        request.path = "/status.json";
        request.headers.emplace_back("hOST", host);
        return admin_response(request, names, testing::test_report).status;
    };
    for (auto const* const own : {"127.0.0.1", "127.0.0.1:9090", "192.0.2.1:9090", "[::1]:9090",
                                  "[2001:db8::1]", "localhost", "localhost:9090", "LocalHost"})
        EXPECT_EQ(status_for(own, AdminNames::own), 200U) << own;
    for (auto const* const other :
         {"example.org", "example.org:9090", "127.0.0.1.example.org", "localhost.example.org",
          "notlocalhost", "127.0.0.1.", "[::1].example.org:9090", "", ":9090", "[]",
          "localhost, example.org", "10.example.org"})
        EXPECT_EQ(status_for(other, AdminNames::own), 421U) << other;
    EXPECT_EQ(status_for("example.org", AdminNames::any), 200U);
}

TEST(AdminPages, AreNotFooledByASecondName) {
    HttpRequest request;
    request.method = "POST";
    request.path = "/";
    request.headers.emplace_back("Host", "localhost");
    request.headers.emplace_back("Host", "example.org");
    auto const response = admin_response(request, AdminNames::own, testing::test_report);
    EXPECT_EQ(response.status, 421U);
    EXPECT_TRUE(response.body.text().find("server.admin_public") != std::string::npos)
        << response.body.text();
    EXPECT_EQ(header(response, "Cache-Control"), "no-store");
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
