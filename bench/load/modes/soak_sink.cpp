// The servers of a soak, one for each host: they compare what each session says with what it must
// say, answer each stanza with one of their own, and end sessions as these ask for it. Orders as in
// soak.cpp:
//
//   down fin, down reset   the second one closes its listener and all it has   {"phase": "down"}
//   up                     it is back                                          {"phase": "up"}
//   report                                                                     {"phase": "report"}
//   quit
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <list>
#include <optional>
#include <stdexcept>
#include <utility>

#include "bench/load/mode.hpp"
#include "bench/load/soak/orders.hpp"
#include "bench/load/soak/plan.hpp"

namespace stanzagate::load {
namespace {

constexpr std::uint64_t sabotage_at = 200;  // answers
constexpr std::uint64_t most_failures_told = 50;

struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t bound = 0;
    std::uint64_t received = 0;  // bytes after authentication
    std::uint64_t sent = 0;      // the same
    std::uint64_t heard = 0;     // stanzas
    std::uint64_t said_all = 0;  // sessions that ended with the last words of both
    std::uint64_t failures = 0;
};

// What goes wrong on purpose, once, to see it seen.
class Sabotage {
public:
    explicit Sabotage(std::string what) : what_(std::move(what)) {}
    bool is_due(std::string_view what) {
        if (what_ != what || (what != "digest" && ++asked_ < sabotage_at)) return false;
        what_.clear();
        return true;
    }

private:
    std::string what_;
    std::uint64_t asked_ = 0;
};

// What both servers share.
struct World {
    Loop& loop;
    std::uint64_t seed;
    Sabotage sabotage;
};

class Server;

class ServedSession final : public Watcher {
public:
    ServedSession(Server& server, Fd fd);
    void on_events(std::uint32_t events) override;
    void end(bool reset);
    bool over() const { return over_; }

private:
    void receive();
    void take(std::string_view bytes);
    void set_up(std::string_view bytes);
    void hear(std::string_view bytes);
    void answer();
    void on_last(const Last& last);
    void send(std::string_view bytes);

    Server& server_;
    Socket socket_;
    ServerSide side_;
    std::string pending_;
    SessionName name_;
    std::optional<Voice> voice_;  // from the bind request on
    std::optional<Ear> ear_;
    Tally said_;
    bool over_ = false;
};

class Server final : public Watcher {
public:
    Server(World& shared, const std::string& address)
        : world(shared), address_(parse_address(address)) {
        up();
    }

    void up() {
        listening_ = listen_on(address_);
        world.loop.add(listening_.get(), *this, EPOLLIN);
    }
    void down(bool reset) {
        listening_.reset();
        for (auto const& session : sessions_) session->end(reset);
    }
    // Between two turns.
    void sweep() {
        std::erase_if(sessions_, [](auto const& session) { return session->over(); });
    }
    std::size_t open() const { return sessions_.size(); }

    void on_events(std::uint32_t /*events*/) override {
        while (listening_) {
            auto fd = accept_from(listening_.get());
            if (!fd) return;
            ++counts.accepted;
            sessions_.push_back(std::make_unique<ServedSession>(*this, std::move(fd)));
        }
    }

    void fail(const std::string& why) {
        if (++counts.failures <= most_failures_told)
            std::fprintf(stderr, "FAILURE %s\n", why.c_str());
    }

    World& world;
    Counts counts;

private:
    sockaddr_in address_;
    Fd listening_;
    std::list<std::unique_ptr<ServedSession>> sessions_;
};

ServedSession::ServedSession(Server& server, Fd fd)
    : server_(server), socket_(server.world.loop, *this, std::move(fd), EPOLLIN) {}

void ServedSession::end(bool reset) {
    if (std::exchange(over_, true)) return;
    if (reset)
        socket_.reset();
    else
        socket_.close();
}

void ServedSession::on_events(std::uint32_t events) {
    if (over_) return;
    if ((events & EPOLLOUT) != 0) socket_.flush();
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
    try {
        receive();
    } catch (const std::exception& exception) {
        server_.fail("the server's side of session " + std::to_string(name_.number) + ": " +
                     exception.what());
        end(true);
    }
}

void ServedSession::receive() {
    static auto const buffer = std::make_unique<std::array<char, 256UL * 1024>>();
    std::size_t size = 0;
    auto const how = socket_.receive(*buffer, size);
    if (how == Socket::Read::bytes) return take({buffer->data(), size});
    if (how != Socket::Read::nothing) end(false);
}

void ServedSession::take(std::string_view bytes) {
    if (side_.authenticated()) server_.counts.received += bytes.size();
    if (ear_)
        hear(bytes);
    else
        set_up(bytes);
}

void ServedSession::set_up(std::string_view bytes) {
    pending_ += bytes;
    bool const was_authenticated = side_.authenticated();
    auto const answers = side_.answer(pending_);
    socket_.send(answers);
    if (was_authenticated) server_.counts.sent += answers.size();
    if (!side_.bound()) return;
    ++server_.counts.bound;
    name_ = parse_session_name(side_.resource());
    voice_.emplace(server_.world.seed, name_.number, name_.voice, Voice::End::server);
    ear_.emplace(Voice(server_.world.seed, name_.number, name_.voice, Voice::End::client));
    if (!pending_.empty()) hear(std::exchange(pending_, {}));
    std::string().swap(pending_);
}

void ServedSession::hear(std::string_view bytes) {
    auto const before = ear_->heard().stanzas;
    bool const had_all = ear_->last().has_value();
    ear_->hear(bytes);
    server_.counts.heard += ear_->heard().stanzas - before;
    for (auto n = ear_->heard().stanzas - before; n > 0 && !over_; --n) answer();
    if (ear_->last() && !had_all && !over_) on_last(*ear_->last());
}

void ServedSession::answer() {
    auto stanza = voice_->stanza(said_.stanzas);
    said_.add(stanza);
    ++said_.stanzas;
    auto& sabotage = server_.world.sabotage;
    if (sabotage.is_due("alter")) stanza[stanza.size() / 2] ^= 1;
    if (sabotage.is_due("lose")) stanza.erase(stanza.size() / 2, 1);
    if (sabotage.is_due("double")) stanza.insert(stanza.size() / 2, 1, stanza[stanza.size() / 2]);
    if (sabotage.is_due("skip")) return;
    if (sabotage.is_due("cut")) return end(false);
    send(stanza);
}

void ServedSession::on_last(const Last& last) {
    if (last.said != ear_->heard())
        throw std::runtime_error("the client has said " + std::to_string(last.said.stanzas) +
                                 " stanzas of " + std::to_string(last.said.bytes) +
                                 " bytes; heard were " + std::to_string(ear_->heard().stanzas) +
                                 " of " + std::to_string(ear_->heard().bytes) +
                                 ", or their digests differ");
    ++server_.counts.said_all;
    if (last.how == "reset") return end(true);
    if (server_.world.sabotage.is_due("digest")) said_.digest ^= 1;
    send(last_words({last.how, said_}));
    if (last.how == "fin") socket_.close_write();
}

void ServedSession::send(std::string_view bytes) {
    server_.counts.sent += bytes.size();
    socket_.send(bytes);
}

class SoakSink final : public Mode {
public:
    explicit SoakSink(Run& run)
        : run_(run),
          world_{run.loop, run.options.soak.seed, Sabotage(run.options.soak.sabotage)},
          first_(world_, run.options.sink),
          second_(world_, run.options.soak.second_sink) {}

    void work() override {
        Orders const orders(run_.loop, [this](const std::string& line) { obey(line); });
        // Where nobody speaks, it is no sign that the proxy hangs: that is for the clients to say.
        Ticker const ticker(run_.loop, std::chrono::seconds(1), [] {});
        run_.loop.run([this] {
            first_.sweep();
            second_.sweep();
            return quit_;
        });
    }

    void report(Report& into) override {
        add(into, "first_", first_);
        add(into, "second_", second_);
        into.add("failures", first_.counts.failures + second_.counts.failures);
    }

private:
    void obey(const std::string& line) {
        if (line == "quit") {
            quit_ = true;
            return;
        }
        if (line == "up")
            second_.up();
        else if (line.starts_with("down"))
            second_.down(line == "down reset");
        Report told(line.substr(0, line.find(' ')));
        report(told);
        told.print();
    }

    static void add(Report& into, const std::string& which, const Server& server) {
        into.add(which + "open", std::uint64_t{server.open()});
        into.add(which + "accepted", server.counts.accepted);
        into.add(which + "bound", server.counts.bound);
        into.add(which + "received", server.counts.received);
        into.add(which + "sent", server.counts.sent);
        into.add(which + "heard", server.counts.heard);
        into.add(which + "said_all", server.counts.said_all);
    }

    Run& run_;
    World world_;
    Server first_;
    Server second_;
    bool quit_ = false;
};

}  // namespace

std::unique_ptr<Mode> make_soak_sink(Run& run) {
    return std::make_unique<SoakSink>(run);
}

}  // namespace stanzagate::load
