#include "bench/load/sink.hpp"

#include <sys/epoll.h>

#include <array>
#include <utility>

namespace stanzagate::load {
namespace {

// Shared: one thread, one turn at a time.
std::array<char, 256UL * 1024>& scratch() {
    static auto const made = std::make_unique<std::array<char, 256UL * 1024>>();
    return *made;
}

}  // namespace

class Sink::Connection final : public Watcher {
public:
    Connection(Sink& sink, Fd fd)
        : sink_(sink), socket_(sink.loop_, *this, std::move(fd), EPOLLIN) {}

    void on_events(std::uint32_t events) override {
        if ((events & EPOLLOUT) != 0) on_writable();
        if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) return;
        auto const how = server_.bound() ? on_relayed() : on_setup();
        if (how == Socket::Read::ended || how == Socket::Read::reset)
            sink_.connections_.erase(self_);  // and with it this object
    }

    void flood(std::uint64_t times) {
        if (!server_.bound()) return;
        blocks_left_ = times;
        socket_.want_writable(true);
    }

    void found_at(Connections::iterator self) { self_ = self; }

private:
    Socket::Read on_setup() {
        std::size_t size = 0;
        auto const how = socket_.receive(scratch(), size);
        pending_.append(scratch().data(), size);
        auto const answers = server_.answer(pending_);
        if (!answers.empty()) socket_.send(answers);
        if (server_.bound()) {
            relayed(pending_);
            pending_ = {};
        }
        return how;
    }

    Socket::Read on_relayed() {
        std::size_t size = 0;
        if (sink_.behaviour_ == Behaviour::discard) {
            auto const how = socket_.discard(size);
            sink_.received_ += size;
            return how;
        }
        auto const how = socket_.receive(scratch(), size);
        relayed({scratch().data(), size});
        return how;
    }

    void relayed(std::string_view bytes) {
        sink_.received_ += bytes.size();
        if (sink_.behaviour_ == Behaviour::echo && !bytes.empty()) socket_.send(bytes);
    }

    // One block in each turn, so that all sessions are served alike.
    void on_writable() {
        socket_.flush();
        if (socket_.blocked()) return;
        if (blocks_left_ == 0) return socket_.want_writable(false);
        --blocks_left_;
        socket_.send(sink_.block_);
    }

    Sink& sink_;
    Socket socket_;
    Connections::iterator self_;
    ServerSide server_;
    std::string pending_;
    std::uint64_t blocks_left_ = 0;
};

Sink::Sink(Loop& loop, const sockaddr_in& address, Behaviour behaviour)
    : loop_(loop), behaviour_(behaviour), listening_(listen_on(address)) {
    loop_.add(listening_.get(), *this, EPOLLIN);
}

Sink::~Sink() = default;

void Sink::on_events(std::uint32_t /*events*/) {
    while (auto fd = accept_from(listening_.get())) {
        ++accepted_;
        auto const self = connections_.insert(connections_.end(),
                                              std::make_unique<Connection>(*this, std::move(fd)));
        (*self)->found_at(self);
    }
}

void Sink::flood(const std::string& block, std::uint64_t times) {
    block_ = block;
    for (auto const& connection : connections_) connection->flood(times);
}

}  // namespace stanzagate::load
