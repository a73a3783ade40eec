// RFC 7395 over TLS: an upgraded HTTP connection, each element in a frame of its own.
#include "bench/load/websocket.hpp"

#include <stdexcept>
#include <string>

#include "bench/load/client.hpp"
#include "bench/load/door.hpp"
#include "bench/load/http.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {
namespace {

class WebsocketDoor final : public Door {
public:
    void on_secured(Client& client) override {
        auto const request = websocket_request(client.host(), "/xmpp-websocket");
        client.send_records(request, request.size());
    }

    void on_bytes(Client& client, std::string_view bytes) override {
        response_.feed(bytes);
        auto const response = response_.next();
        if (!response) return;
        if (!response->head.starts_with("HTTP/1.1 101 "))
            throw std::runtime_error("no WebSocket: " + response->head + response->body);
        client.opened();
    }

    void on_received(Client& client, std::string_view bytes) override {
        frames_.feed(bytes);
        while (auto const element = frames_.next()) client.arrived(*element);
        if (frames_.closed()) throw std::runtime_error("a WebSocket was closed");
    }

    std::string header(std::string_view host) const override {
        return "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='" + std::string(host) +
               "' version='1.0' xml:lang='en'/>";
    }

    std::string wrap(std::string_view element) const override {
        return masked_text(with_namespace(element));
    }

    void on_close(Client& client) override {
        auto const frame = masked_close();
        client.send_records(frame, frame.size());
    }

private:
    HttpReader response_;
    FrameReader frames_;
};

}  // namespace

std::unique_ptr<Door> make_websocket_door() {
    return std::make_unique<WebsocketDoor>();
}

}  // namespace stanzagate::load
