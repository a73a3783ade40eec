#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "filters/stream_error.hpp"
#include "proxy/session_end.hpp"

namespace stanzagate::proxy {

// What carries a client's XMPP stream where the stream is not simply what its socket brings: a
// WebSocket, or the requests of BOSH. To its session it looks like a socket that speaks XMPP, and
// the session tells it of nothing but that stream. Owned by the session's client channel.
class Carrier {
public:
    Carrier() = default;
    Carrier(const Carrier&) = delete;
    Carrier& operator=(const Carrier&) = delete;
    virtual ~Carrier() = default;

    virtual void on_events(std::uint32_t) {}
    // The next piece of the client's stream: bytes that may be fed to the gate at once, and no
    // more. Empty: nothing now, or over(). Valid until consumed(), which is to be called at once,
    // so that nothing is held in vain.
    virtual std::string_view read() = 0;
    virtual void consumed() = 0;
    // Takes all of it; blocked() tells that some of it waits.
    virtual void write(std::string_view bytes) = 0;
    // Nothing more will come for the client.
    virtual void close_write() = 0;
    // The same because the process ends, in the middle of a stream.
    virtual void shut_down() = 0;

    // Last of all: what carries it is closed at once, where it is the client's own connection.
    virtual void say_end() {}

    // Whether what the client sends can be used now.
    virtual void takes(bool) {}
    // The client is authenticated: what it sends is the server's business.
    virtual void authenticated() = 0;

    virtual bool readable() const = 0;
    virtual bool blocked() const = 0;
    // The client can say nothing more, and needs not be waited for.
    virtual bool ended() const = 0;
    // Why the client will say nothing more, though what it said may not all be read yet; nothing
    // while it may.
    virtual std::optional<SessionEnd> hung_up() const = 0;
    // Why the session is to end, once all that the client said was read; nothing while it lives.
    virtual std::optional<SessionEnd> over() const = 0;
    // The stream error that it sent on its own, since what the client sent was no stream.
    virtual std::optional<filters::StreamErrorCondition> error() const { return std::nullopt; }
    // Whether the client may take minutes to ask for the last word.
    virtual bool is_patient() const { return false; }
};

}  // namespace stanzagate::proxy
