#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/filters/websocket_client.hpp"
#include "tests/proxy/test_gate.hpp"

// Clients of the HTTP doors, that say just what a test tells them to.
namespace stanzagate::proxy::testing {

struct HttpAnswer {
    unsigned status = 0;                         // 0: the connection ended
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

class HttpClient {
public:
    explicit HttpClient(Client client) : client_(std::move(client)) {}

    void say(std::string_view bytes) { client_.say(bytes); }
    void ask(const std::string& method, const std::string& path, const std::string& headers = "",
             const std::string& body = "");
    void post(const std::string& body) { ask("POST", "/http-bind", "", body); }
    // The next answer; `head`: it has no body though it tells of one.
    HttpAnswer hear(bool head = false);
    HttpAnswer hear_after_post(const std::string& body) {
        post(body);
        return hear();
    }
    std::string hear_to_end() { return client_.hear_to_end(); }
    Client& client() { return client_; }

private:
    Client client_;
};

// One WebSocket (RFC 6455), of subprotocol xmpp.
class WebsocketClient {
public:
    explicit WebsocketClient(Client client) : client_(std::move(client)) {}

    // The handshake; the answer to it.
    HttpAnswer open();
    void say(std::string_view message) { client_.say(filters::testing::client_frame(1, message)); }
    void say_frame(std::string_view frame) { client_.say(frame); }
    // The next frame; opcode 0: the connection ended.
    filters::testing::ServerFrame hear();
    // The next text message.
    std::string hear_text();
    Client& client() { return client_; }

private:
    Client client_;
};

}  // namespace stanzagate::proxy::testing
