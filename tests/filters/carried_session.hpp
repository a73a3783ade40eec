#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/stream_parts.hpp"

namespace stanzagate::filters {

// A gate with the translator of a transport before it, as proxy/ puts them together, and a client
// of that transport. It is told what a client says on TCP, says the same in its own way, and
// compares what comes of it with what came of it on TCP.
class CarriedSession {
public:
    explicit CarriedSession(GateDriver& driver) : driver_(driver) {}
    CarriedSession(const CarriedSession&) = delete;
    CarriedSession& operator=(const CarriedSession&) = delete;
    virtual ~CarriedSession() = default;

    void client_sends(std::string_view bytes);
    // The client is gone, without a word.
    virtual void client_ends() = 0;
    // To be called after everything that has happened to the gate.
    virtual void settle() = 0;

    // Empty, or how what a side got since it was last asked differs from what it got on TCP.
    std::string compare(Side side, std::string_view on_tcp);
    // The error that the translator sent on its own, as the gate's would have been.
    virtual std::optional<StreamErrorCondition> error() const { return std::nullopt; }

protected:
    // What the client heard: canonical elements, in order, with what the transport has around them.
    virtual std::vector<std::string> take_heard() = 0;
    virtual std::string compare_heard(const std::vector<StreamPart>& parts) = 0;
    // All that is said at once; `rest` is no element, and is said as it is.
    virtual void say(const std::vector<StreamPart>& parts, const std::string& rest) = 0;

    // Empty, or which of the elements is not what it is on TCP.
    std::string compare_elements(const std::vector<std::string>& expected,
                                 const std::vector<std::string>& heard) const;
    // An element as it must be heard: with the stream's language where it has none of its own.
    std::string must_be_heard(const StreamPart& part) const;
    // Whether the gate can use what the client says.
    bool takes() {
        return driver_.relaying() || (!driver_.closed() && driver_.gate().wants(Side::client));
    }

    GateDriver& driver_;

private:
    std::string compare_upstream(std::string_view on_tcp);

    StreamParts said_;
    StreamParts client_on_tcp_;
    StreamParts upstream_on_tcp_;
    StreamParts upstream_here_;
};

enum class ClientDoor : std::uint8_t { tcp, websocket, bosh };

// None for tcp.
std::unique_ptr<CarriedSession> carried_session(ClientDoor door, GateDriver& driver,
                                                const config::Limits& limits);

}  // namespace stanzagate::filters
