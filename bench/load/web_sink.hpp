#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "bench/load/http.hpp"
#include "bench/load/loop.hpp"
#include "bench/load/socket.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {

// The server behind a proxy that passes HTTP on, in the clear: WebSocket or BOSH, and as little
// XMPP as clients need to bind. What comes after that it sends back.
class WebSink final : public Watcher {
public:
    // `door`: "websocket" or "bosh".
    WebSink(Loop& loop, const sockaddr_in& address, std::string_view door);
    ~WebSink();

    void on_events(std::uint32_t events) override;

private:
    class Connection;
    class WebsocketConnection;
    class BoshConnection;
    using Connections = std::list<std::unique_ptr<Connection>>;

    // Of BOSH; its requests come on any connection.
    struct Session {
        ServerSide server{};
        BoshConnection* holds = nullptr;  // the request that waits
    };

    Loop& loop_;
    Fd listening_;
    bool bosh_;
    Connections connections_;
    std::map<std::string, Session, std::less<>> sessions_;
    std::uint64_t last_sid_ = 0;
};

}  // namespace stanzagate::load
