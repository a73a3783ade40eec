#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "filters/starttls_client.hpp"
#include "proxy/channel.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

class Worker;

// What is to be connected, and for whom.
struct UpstreamTarget {
    const config::Host* host = nullptr;  // of the snapshot
    std::string stream_host;             // the client's `to`
    config::Endpoint source;             // for the PROXY header
    config::Endpoint destination;
    std::string session;  // for the log
};

// Brings a session's upstream channel up: resolves, connects, sends the PROXY header, negotiates
// TLS or STARTTLS; address after address until one works or none is left. Each gets
// connect_timeout for all of it, and so does each of the addresses that a name has.
//   start(); advance() whenever the channel had events; `changed` is called when state() may have
//   changed by itself (a name was resolved, a deadline has passed).
// Owned by the session, whose channel it borrows.
class UpstreamConnector {
public:
    enum class State : std::uint8_t { busy, ready, failed };

    UpstreamConnector(Worker& worker, Pollable& session, Channel& channel,
                      std::shared_ptr<const Snapshot> snapshot, UpstreamTarget target);
    ~UpstreamConnector();
    UpstreamConnector(const UpstreamConnector&) = delete;
    UpstreamConnector& operator=(const UpstreamConnector&) = delete;

    void start();
    void advance();
    State state() const { return state_; }

    // What must be in the first write on the channel, once it is ready: the PROXY header, where it
    // did not go out before. ejabberd reads it inside its accept loop and wants it whole.
    std::string take_first_bytes() { return std::exchange(proxy_header_, {}); }

private:
    enum class Step : std::uint8_t { resolving, connecting, starttls, handshake };

    void try_next_address();
    void on_resolved(const std::vector<config::Endpoint>& endpoints, std::string_view error);
    void try_next_endpoint(std::string_view why_not_before);
    bool connect(const config::Endpoint& endpoint);
    void on_deadline();
    void on_connected();
    void advance_starttls();
    void begin_handshake();
    void advance_handshake();
    std::string handshake_failure();
    void on_up();
    void endpoint_failed(std::string_view reason);
    void not_tried(int error);
    void address_failed(std::string_view why);
    const config::UpstreamAddress& address() const { return addresses_[next_address_ - 1]; }
    const config::Endpoint& endpoint() const { return endpoints_[next_endpoint_ - 1]; }
    std::string make_proxy_header() const;

    Worker& worker_;
    Pollable& session_;
    Channel& channel_;
    std::shared_ptr<const Snapshot> snapshot_;
    UpstreamTarget target_;
    State state_ = State::busy;
    Step step_ = Step::resolving;
    std::vector<config::UpstreamAddress> addresses_;
    std::size_t next_address_ = 0;
    std::vector<config::Endpoint> endpoints_;
    std::size_t next_endpoint_ = 0;
    bool was_short_ = false;  // of something of our own, for one of these
    std::string proxy_header_;
    std::optional<filters::StartTlsClient> starttls_;
    Deadline deadline_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come too late
};

}  // namespace stanzagate::proxy
