#include "proxy/worker.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "proxy/arrival.hpp"
#include "proxy/http_connection.hpp"
#include "proxy/listener.hpp"
#include "proxy/session.hpp"
#include "proxy/trusted_peers.hpp"

namespace stanzagate::proxy {

Worker::Worker(unsigned number, std::shared_ptr<const Snapshot> snapshot, Shared shared)
    : number_(number),
      snapshot_(std::move(snapshot)),
      shared_(std::move(shared)),
      upstream_names_(
          loop_,
          [&resolver = shared_.resolver](auto const& host, auto port, auto done) {
              resolver.resolve(host, port, std::move(done));
          },
          shared_.log),
      tls_(snapshot_->certificates, shared_.ticket_keys),
      drain_deadline_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->on_drain_deadline(); },
          this),
      drain_check_(
          loop_.deadlines(), [](void* self) { static_cast<Worker*>(self)->finish_if_idle(); },
          this) {}

Worker::~Worker() {
    residents_.clear_and_dispose([](Resident* resident) { delete resident; });
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot, std::vector<Door> doors,
                 std::shared_ptr<const void> told) {
    // A task has to be copyable, and sockets are not.
    auto const shared = std::make_shared<std::vector<Door>>(std::move(doors));
    use(std::move(snapshot), told);
    loop_.post([this, shared, told = std::move(told)] { open_and_close(*shared); });
}

void Worker::use(std::shared_ptr<const Snapshot> snapshot, std::shared_ptr<const void> told) {
    loop_.post([this, snapshot = std::move(snapshot), told = std::move(told)] {
        if (snapshot->certificates != snapshot_->certificates) tls_.use(snapshot->certificates);
        snapshot_ = snapshot;
    });
}

void Worker::use_ticket_keys(const certs::TicketKeys& keys, std::shared_ptr<const void> told) {
    loop_.post([this, keys, told = std::move(told)] { tls_.set_ticket_keys(keys); });
}

void Worker::open_and_close(std::vector<Door>& doors) {
    if (leaving_) return;
    auto const door_of = [&](const Listener& listener) {
        return std::find_if(doors.begin(), doors.end(),
                            [&](auto const& door) { return door.key == listener.key(); });
    };
    std::vector<std::unique_ptr<Listener>> kept;
    for (auto& listener : listeners_) {
        if (auto const door = door_of(*listener); door != doors.end()) {
            listener->use(door->listen);
            kept.push_back(std::move(listener));
        } else {
            listener->stop();
            closed_.push_back(std::move(listener));
        }
    }
    listeners_ = std::move(kept);
    for (auto& door : doors)
        if (door.socket) listeners_.push_back(std::make_unique<Listener>(*this, std::move(door)));
    loop_.later([this] { closed_.clear(); });
}

void Worker::run() {
    for (;;) {
        try {
            loop_.run();
            return refusals_.tell();
        } catch (const std::exception& exception) {
            // Out of memory, most likely, and only for the session whose turn it was.
            log().write_first(config::LogLevel::error, "exception", {{"what", exception.what()}});
        }
    }
}

void Worker::drain(std::chrono::milliseconds grace) {
    loop_.post([this, grace] { begin_drain(grace); });
}

void Worker::end() {
    loop_.post([this] {
        begin_leaving({}, [](Listener& listener) { listener.stop(); });
        drain_deadline_.set({});  // sooner than it was set to
        finish_if_idle();
    });
}

void Worker::hand_over(std::chrono::milliseconds grace) {
    loop_.post([this, grace] {
        begin_leaving(grace, [](Listener& listener) { listener.hand_over(); });
        finish_if_idle();
    });
}

void Worker::list_sockets(std::vector<PassedSocket>& sockets) const {
    for (auto const& listener : listeners_) sockets.push_back(listener->passed());
}

void Worker::begin_leaving(std::chrono::milliseconds grace, void (*close)(Listener&)) {
    if (std::exchange(leaving_, true)) return;
    drain_deadline_.set(grace);  // first, whatever happens in closing
    for (auto const& listener : listeners_) close(*listener);
}

void Worker::begin_drain(std::chrono::milliseconds grace) {
    if (std::exchange(draining_, true)) return;
    begin_leaving(grace, [](Listener& listener) { listener.stop(); });
    end_all(true);
    finish_if_idle();
}

// A last word to those that listen; who does not is left behind.
void Worker::on_drain_deadline() {
    if (std::exchange(said_last_words_, true)) return abandon_all();
    draining_ = true;
    end_all(false);
    drain_deadline_.set(std::chrono::seconds(1));
}

void Worker::end_all(bool only_negotiating) {
    for (auto next = residents_.begin(); next != residents_.end();) {
        auto& resident = *next++;  // it may take itself off the list
        if (resident.is_negotiating() || !only_negotiating) resident.drain();
    }
}

void Worker::abandon_all() {
    for (auto next = residents_.begin(); next != residents_.end();) (next++)->abandon();
    loop_.stop();
}

// A connection that speaks HTTP may be how a BOSH session of another worker is reached; and while
// nobody is sent away, it may be about to say what it has come for.
void Worker::finish_if_idle() {
    if (!leaving_ || sessions_ != 0) return;
    if (residents_.empty() || (draining_ && shared_.bosh.empty())) return loop_.stop();
    drain_check_.set(std::chrono::milliseconds(250));
}

std::string Worker::next_session_id() {
    return std::to_string(number_) + '-' + std::to_string(++sessions_begun_);
}

// Who is turned away here has cost nothing but a socket. Of those that speak for others it is not
// known yet whom to count.
void Worker::accept(Fd socket, const std::shared_ptr<const config::Listen>& door,
                    const config::Endpoint& peer) {
    Ticket ticket(admission());
    auto refusal = ticket.enter();
    if (refusal == Admission::Refusal::none && !sends_proxy_header(*door, peer.address) &&
        !speaks_for_others(*door, peer.address))
        refusal = ticket.enter_address(peer.address);
    if (refusal != Admission::Refusal::none) return count_refusal(refusal, peer);
    auto session =
        std::make_unique<Session>(*this, std::move(socket), std::move(ticket), door, peer);
    auto& entered = *session;
    enter(std::move(session));
    entered.start();
}

void Worker::enter(std::unique_ptr<Resident> resident) {
    if (resident->is_session()) ++sessions_;
    memory_trim_.began();
    residents_.push_back(*resident.release());
}

void Worker::serve_http(Channel channel, Arrival arrival, std::string_view first) {
    auto const number = ++http_connections_begun_;
    auto connection =
        std::make_unique<HttpConnection>(*this, number, std::move(channel), std::move(arrival));
    auto& entered = *connection;
    http_connections_.emplace(number, &entered);
    enter(std::move(connection));
    loop_.move(entered.fd(), entered);
    entered.start(first);
}

void Worker::respond(const HttpExchange& exchange, HttpResponse response) {
    if (auto const found = http_connections_.find(exchange.connection);
        found != http_connections_.end())
        found->second->respond(exchange.request, std::move(response));
}

void Worker::count_refusal(Admission::Refusal refusal, const config::Endpoint& peer) {
    counters_.refused_connections[refusal].add();
    refusals_.add(refusal, peer.address);
}

void Worker::warn_once(const filters::FeatureFindings& findings, const std::string& host) {
    auto const say = [&](bool found, std::string_view what, std::string_view advice) {
        if (!found || !shared_.said.first(host + ' ' + std::string(what))) return;
        log().warning("upstream_misconfigured",
                      {{"host", host}, {"offers", what}, {"advice", advice}});
    };
    say(findings.starttls_only, "starttls only",
        "the upstream demands STARTTLS on this leg: use a starttls:// upstream, or let it take the "
        "leg for secure (Prosody: mod_secure_interfaces; ejabberd: starttls_required: false)");
    say(findings.channel_binding, "-PLUS mechanisms",
        "channel binding cannot work through a proxy: use a plaintext upstream leg, where the "
        "server does not offer it, or disable the -PLUS mechanisms there");
    say(findings.external, "EXTERNAL",
        "client certificates end at the gate: disable SASL EXTERNAL at the upstream");
}

void Worker::retire(Resident& resident) {
    residents_.erase(residents_.iterator_to(resident));
    if (resident.is_session()) --sessions_;
    memory_trim_.ended();
    loop_.bury(resident);
    if (retired_.empty())
        loop_.later([this] {
            retired_.clear();
            finish_if_idle();
        });
    retired_.emplace_back(&resident);
}

}  // namespace stanzagate::proxy
