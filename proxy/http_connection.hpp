#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/arrival.hpp"
#include "proxy/channel.hpp"
#include "proxy/counters.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/http_door.hpp"
#include "proxy/http_request.hpp"
#include "proxy/kept_bytes.hpp"
#include "proxy/resident.hpp"
#include "proxy/waiting_requests.hpp"

namespace stanzagate::proxy {

class Worker;

// A client's connection that speaks HTTP/1.1 (RFC 9112), from its first request on: kept alive,
// with requests pipelined if the client likes, answered in their order. Requests of BOSH are handed
// to their sessions and answered when these say so; a WebSocket's takes the connection away, to a
// session of its own.
class HttpConnection final : public Resident {
public:
    HttpConnection(Worker& worker, std::uint64_t number, Channel channel, Arrival arrival);
    ~HttpConnection() override;

    int fd() const { return channel_.wire().fd(); }
    // `first`: what was read already.
    void start(std::string_view first);
    void respond(std::uint64_t request, HttpResponse response);

    void on_events(Side side, std::uint32_t events) override;
    void on_again() override;
    bool is_negotiating() const override { return false; }
    bool is_session() const override { return false; }
    void drain() override;
    void abandon() override;

private:
    using Waiting = WaitingRequests::Request;

    template <typename Work>
    void guarded(Work&& work);
    void turn();
    bool may_read() const;
    void take(std::string_view bytes);
    void feed(std::string_view bytes);
    void refuse(unsigned status);
    void read_no_more();
    std::size_t most_body_bytes() const;
    bool body_is_too_long() const;
    void serve(HttpRequest request, std::string_view rest);
    void pass_on(Waiting& waiting, std::string body);
    void open_bosh_session(Waiting& waiting, std::string_view body);
    void open_websocket(const HttpResponse& response, std::string_view rest);
    bool learn_client(const HttpRequest& request);
    void send_ready();
    void on_client_ended();
    void give_up_waiting();
    void begin_closing();
    bool takes_what_was_said() const;
    void time_is_up();
    void set_deadline();
    void finish();

    Worker& worker_;
    std::uint64_t number_;
    Channel channel_;
    Arrival arrival_;
    ConnectionPlace place_;
    std::unique_ptr<HttpRequestReader> reader_;  // of a request that is not whole yet
    KeptBytes unread_;                           // behind a request that has to be answered first
    WaitingRequests waiting_;
    std::uint64_t requests_ = 0;
    config::Endpoint client_;  // who the last request came from, and whether that is known
    bool client_known_ = true;
    std::optional<std::uint64_t> last_;  // the request behind which nothing is read
    bool closing_ = false;               // it was answered
    bool feeding_ = false;               // responses wait until the bytes are dealt with
    bool over_ = false;
    std::size_t outstanding_ = 0;  // of what was said, when the deadline was set
    Deadline deadline_;
};

}  // namespace stanzagate::proxy
