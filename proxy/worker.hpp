#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "certs/server_tls.hpp"
#include "filters/stream_features.hpp"
#include "proxy/admission.hpp"
#include "proxy/arrival.hpp"
#include "proxy/bosh_sessions.hpp"
#include "proxy/counters.hpp"
#include "proxy/deadlines.hpp"
#include "proxy/doors.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/fd.hpp"
#include "proxy/list_lookups.hpp"
#include "proxy/log.hpp"
#include "proxy/memory_trim.hpp"
#include "proxy/name_resolver.hpp"
#include "proxy/recent.hpp"
#include "proxy/refusals.hpp"
#include "proxy/resident.hpp"
#include "proxy/scratch.hpp"
#include "proxy/shared_invitations.hpp"
#include "proxy/shared_quotas.hpp"
#include "proxy/snapshot.hpp"
#include "proxy/upstream_names.hpp"
#include "proxy/upstream_pool.hpp"

namespace stanzagate::proxy {

class HttpConnection;
class Listener;

// Names what was said already, so that it is said once in the life of the process. Memory: of more
// than `most` it forgets all, and says some again.
class SaidOnce {
public:
    static constexpr std::size_t most = 16'384;

    // True the first time for `what`.
    bool first(const std::string& what) {
        std::lock_guard const lock(mutex_);
        if (said_.size() >= most && !said_.contains(what)) said_.clear();
        return said_.insert(what).second;
    }

private:
    std::mutex mutex_;
    std::set<std::string> said_;
};

// What all workers share.
struct Shared {
    const Log& log;
    Admission& admission;
    SaidOnce& said;
    NameResolver& resolver;
    ListLookups& list_lookups;
    SharedQuotas& quotas;
    SharedInvitations& invitations;
    BoshDirectory& bosh;
    Recent& recent;
    certs::TicketKeys ticket_keys;
};

// One thread with its event loop, its listening sockets, and every session that came through them:
// a session never leaves its worker, so nothing on the data path is locked.
//   use(), then run() on a thread of its own; drain() from any thread.
class Worker {
public:
    Worker(unsigned number, std::shared_ptr<const Snapshot> snapshot, Shared shared);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // What it works by from now on, and where it listens: doors that are not among these are
    // closed, without disturbing who came through them. From any thread; it takes effect within
    // run(), and `told` is dropped after that.
    void use(std::shared_ptr<const Snapshot> snapshot, std::vector<Door> doors,
             std::shared_ptr<const void> told = nullptr);
    // The same where the doors stay as they are.
    void use(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const void> told = nullptr);

    // The keys that tickets are sealed and opened with. From any thread, as above.
    void use_ticket_keys(const certs::TicketKeys& keys, std::shared_ptr<const void> told = nullptr);

    // Returns once the worker was drained or stopped.
    void run();
    // Accepts no more, ends what is not authenticated yet, and lets the others live for up to
    // `grace`.
    void drain(std::chrono::milliseconds grace);
    // Whoever is connected has to go now, whatever was said before; sessions hear so.
    void end();
    // Another process accepts from now on: all who are here live for up to `grace`, whatever stage
    // they are in, since they need not go to be served.
    void hand_over(std::chrono::milliseconds grace);
    // Adds its listening sockets. For another thread, while this worker stands still.
    void list_sockets(std::vector<PassedSocket>& sockets) const;
    // From any thread.
    const Counters& counters() const { return counters_; }

    // For sessions, on the worker's own thread.
    EventLoop& loop() { return loop_; }
    Scratch& scratch() { return *scratch_; }
    UpstreamPool& upstreams() { return upstreams_; }
    UpstreamNames& upstream_names() { return upstream_names_; }
    certs::ServerTls& tls() { return tls_; }
    const Log& log() const { return shared_.log; }
    Admission& admission() { return shared_.admission; }
    ListLookups& list_lookups() { return shared_.list_lookups; }
    SharedQuotas& quotas() { return shared_.quotas; }
    SharedInvitations& invitations() { return shared_.invitations; }
    BoshSessions& bosh() { return bosh_; }
    Counters& counters() { return counters_; }
    Recent& recent() { return shared_.recent; }
    BoshDirectory& bosh_directory() { return shared_.bosh; }
    // Who comes now, on a connection that is open already, is sent away.
    bool is_draining() const { return draining_; }
    // No new connections come, so that nobody is to be kept for the next request.
    bool is_leaving() const { return leaving_; }
    const std::shared_ptr<const Snapshot>& snapshot() const { return snapshot_; }
    std::string next_session_id();

    // Somebody has connected: a session begins, or a limit turns them away.
    void accept(Fd socket, const std::shared_ptr<const config::Listen>& door,
                const config::Endpoint& peer);
    // From now on it lives here; the caller starts it.
    void enter(std::unique_ptr<Resident> resident);
    // What came through a door turned out to speak HTTP; `first` was read already.
    void serve_http(Channel channel, Arrival arrival, std::string_view first);
    void forget_http(std::uint64_t connection) { http_connections_.erase(connection); }
    // The response to an HTTP request of this worker.
    void respond(const HttpExchange& exchange, HttpResponse response);
    // A connection was turned away at the door.
    void count_refusal(Admission::Refusal refusal, const config::Endpoint& peer);
    // Tells the operator, once per host, what does not work with how its upstream is configured;
    // `host` as it is configured, since clients invent names for one with a "*".
    void warn_once(const filters::FeatureFindings& findings, const std::string& host);
    // It has ended: it is told of nothing more, and deleted after this turn.
    void retire(Resident& resident);

private:
    void open_and_close(std::vector<Door>& doors);
    void begin_leaving(std::chrono::milliseconds grace, void (*close)(Listener&));
    void begin_drain(std::chrono::milliseconds grace);
    void on_drain_deadline();
    void end_all(bool only_negotiating);
    void abandon_all();
    void finish_if_idle();

    unsigned number_;
    std::uint64_t sessions_begun_ = 0;
    std::shared_ptr<const Snapshot> snapshot_;
    Shared shared_;
    Counters counters_;  // outlives whoever counts
    EventLoop loop_;
    std::unique_ptr<Scratch> scratch_ = std::make_unique<Scratch>();
    UpstreamPool upstreams_;
    UpstreamNames upstream_names_;
    certs::ServerTls tls_;
    BoshSessions bosh_{*this, shared_.bosh};
    Deadline drain_deadline_;
    Deadline drain_check_;
    MemoryTrim memory_trim_{loop_.deadlines()};
    Refusals refusals_{loop_.deadlines(), shared_.log};
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<std::unique_ptr<Listener>> closed_;  // until this round of the loop is over
    boost::intrusive::list<Resident, boost::intrusive::constant_time_size<false>> residents_;
    std::size_t sessions_ = 0;  // of the residents
    std::vector<std::unique_ptr<Resident>> retired_;
    std::unordered_map<std::uint64_t, HttpConnection*> http_connections_;
    std::uint64_t http_connections_begun_ = 0;
    bool leaving_ = false;
    bool draining_ = false;
    bool said_last_words_ = false;
};

}  // namespace stanzagate::proxy
