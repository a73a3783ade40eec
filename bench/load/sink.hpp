#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "bench/load/loop.hpp"
#include "bench/load/socket.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {

// The server behind the proxies: plain TCP, and as little XMPP as clients need to bind. What comes
// after that it drops and counts, or sends back.
class Sink final : public Watcher {
public:
    enum class Behaviour { discard, echo };

    Sink(Loop& loop, const sockaddr_in& address, Behaviour behaviour);
    ~Sink();

    void on_events(std::uint32_t events) override;

    // From now on: every session that is bound is sent `times` times `block`, as fast as it takes.
    void flood(const std::string& block, std::uint64_t times);

    std::size_t connections() const { return connections_.size(); }
    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t received() const { return received_; }  // bytes, from bound sessions

private:
    class Connection;
    using Connections = std::list<std::unique_ptr<Connection>>;

    Loop& loop_;
    Behaviour behaviour_;
    Fd listening_;
    Connections connections_;
    std::string block_;
    std::uint64_t accepted_ = 0;
    std::uint64_t received_ = 0;
};

}  // namespace stanzagate::load
