#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

#include "proxy/status_command.hpp"
#include "tests/proxy/test_report.hpp"

namespace stanzagate::proxy {
namespace {

using testing::test_report;

struct Case {
    std::string_view key;
    std::string_view json;
};

TEST(StatusJson, SaysEverything) {
    auto const status = boost::json::parse(status_json(test_report()));
    for (auto const& [key, json] : {
             Case{"version", R"("1.2.3")"},
             Case{"time", R"("2030-01-03T05:00:01Z")"},
             Case{"started", R"("2030-01-02T03:00:00Z")"},
             Case{"uptime_seconds", "93601"},
             Case{"workers", "2"},
             Case{"draining", "false"},
             Case{"connections", R"({"starttls":{"handshake":1,"negotiating":0,"relaying":0},)"
                                 R"("direct":{"handshake":0,"negotiating":0,"relaying":1200},)"
                                 R"("websocket":{"negotiating":0,"relaying":0},)"
                                 R"("bosh":{"negotiating":0,"relaying":0},"http":{"open":7}})"},
             Case{"handshakes", R"({"ok":30,"failed":0,"timeout":2,"drained":0})"},
             Case{"relayed_bytes", R"({"to_upstream":0,"to_client":12345678901})"},
             Case{"refused_connections",
                  R"({"connections":0,"connections_per_address":0,"connect_rate":5})"},
             Case{"reloads", R"({"ok":3,"failed":1})"},
             Case{"certificates",
                  R"([{"host":"example.org","expires":"2030-02-02T05:00:02Z","days_left":30},)"
                  R"({"host":"*.example.net","expires":"2030-01-03T04:00:01Z","days_left":-1}])"},
             Case{"upstreams",
                  R"([{"host":"example.org","address":"tcp://192.0.2.1:5222","failures":8,)"
                  R"("last_failure":"2030-01-03T04:59:57Z","reason":"Connection refused",)"
                  R"("failed_lately":true},{"host":"*.example.net",)"
                  R"("address":"tls://192.0.2.2:5223","failures":0,"last_failure":null,)"
                  R"("reason":null,"failed_lately":false}])"},
         }) {
        EXPECT_EQ(boost::json::serialize(status.at(key)), json) << key;
    }
    EXPECT_EQ(status.at("registrations").as_array().size(), 4U);
    EXPECT_EQ(boost::json::serialize(status.at("registrations").at(1)),
              R"({"host":"example.org","rule":"default","action":"redirect","request":"get",)"
              R"("count":12})");
    EXPECT_EQ(boost::json::serialize(status.at("minutes").at("redirected")), "[0,2]");
    EXPECT_EQ(boost::json::serialize(status.at("minutes").at("open")), "[5,6]");
}

TEST(StatusJson, ShowsNetworksOfClients) {
    auto report = test_report();
    auto const addresses = [&] {
        auto const status = boost::json::parse(status_json(report));
        boost::json::array shown;
        for (auto const& decision : status.at("decisions").as_array())
            shown.push_back(decision.at("address"));
        return boost::json::serialize(shown);
    };
    EXPECT_EQ(addresses(), R"(["203.0.113.0/24","2001:db8:1::/48",null])");
    report.full_addresses = true;
    EXPECT_EQ(addresses(), R"(["203.0.113.9","2001:db8:1:2::3",null])");
}

TEST(StatusTable, IsShort) {
    auto const table = status_table(status_json(test_report()));
    auto const* const text = std::get_if<std::string>(&table);
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, R"(stanzagate 1.2.3, up 1 d 2 h, 2 workers

connections  handshake  negotiating  relaying  open
starttls             1            0         0
direct               0            0      1200
websocket                         0         0
bosh                              0         0
http                                              7

decisions  action    get  set  flow
a "b"\     forward     0    1     0
default    redirect   12    3     2

certificates   expires     days left
example.org    2030-02-02         30
*.example.net  2030-01-03         -1
)");
}

TEST(StatusTable, OfOneThatHasJustBegun) {
    Report report;
    report.version = "1.2.3";
    report.workers = 1;
    report.draining = true;
    auto const table = status_table(status_json(report));
    auto const& text = std::get<std::string>(table);
    EXPECT_TRUE(text.starts_with("stanzagate 1.2.3, up 0 s, 1 worker, draining\n")) << text;
    EXPECT_NE(text.find("decisions: none yet\n"), std::string::npos);
    EXPECT_NE(text.find("certificates: none\n"), std::string::npos);
}

TEST(StatusTable, OfSomethingElse) {
    for (auto const* const json : {"", "{}", "[]", "null", R"({"version":1})", "<html>"})
        EXPECT_TRUE(std::holds_alternative<StatusError>(status_table(json))) << json;
}

}  // namespace
}  // namespace stanzagate::proxy
