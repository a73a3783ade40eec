#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/proxy/http_client.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy::testing {

inline const std::string auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='X'>AA==</auth>";
inline const std::string success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
inline const std::string server_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='1' from='example.org' "
    "version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>";
inline const std::string server_features = "<stream:features><x xmlns='x'/></stream:features>";
inline const std::string message =
    "<message xmlns='jabber:client' to='a@b'><body>&lt;</body></message>";

inline std::string attribute(const std::string& body, const std::string& name) {
    auto const at = body.find(' ' + name + "='");
    if (at == std::string::npos) return "";
    auto const begin = at + name.size() + 3;
    return body.substr(begin, body.find('\'', begin) - begin);
}

// A client over BOSH, and its end at the server.
struct BoshSession {
    BoshSession(const TestGate& gate_it_uses, const TestUpstream& server,
                std::string_view door = "all", unsigned worker = 0)
        : gate(gate_it_uses), http(gate.connect(door, worker)), upstream_server(server) {}

    std::string body(const std::string& payload, const std::string& attributes = "") {
        return "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "
               "rid='" +
               std::to_string(rid++) + "' sid='" + sid + "' " + attributes + '>' + payload +
               "</body>";
    }
    void post(const std::string& payload, const std::string& attributes = "") {
        http.post(body(payload, attributes));
    }
    std::string hear_header() {
        std::string header;
        while (!header.ends_with(">") || header.find("stream:stream") == std::string::npos)
            header += hear(upstream, 1);
        return header;
    }
    void open() {
        http.post(
            "<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' "
            "to='example.org' wait='30' hold='1' ver='1.6' xmpp:version='1.0' rid='" +
            std::to_string(rid++) + "'/>");
        upstream = upstream_server.accept();
        hear_header();
        say(upstream, server_header + server_features);
        auto const created = http.hear();
        EXPECT_EQ(created.status, 200U);
        sid = attribute(created.body, "sid");
        EXPECT_EQ(sid.size(), 32U) << created.body;
        if (created.body.find("<stream:features") == std::string::npos) {
            post("");
            EXPECT_NE(http.hear().body.find("<stream:features"), std::string::npos);
        }
    }
    void authenticate() {
        post(auth);
        EXPECT_EQ(hear(upstream, auth.size()), auth);
        say(upstream, success);
        EXPECT_NE(http.hear().body.find("<success"), std::string::npos);
        post("", "xmpp:restart='true'");
        hear_header();
        say(upstream, server_header + server_features);
        EXPECT_NE(http.hear().body.find("<stream:features"), std::string::npos);
    }

    const TestGate& gate;
    HttpClient http;
    const TestUpstream& upstream_server;
    Fd upstream;
    std::string sid;
    unsigned long rid = 1'000'000;
};

}  // namespace stanzagate::proxy::testing
