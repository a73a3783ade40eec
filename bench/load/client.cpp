#include "bench/load/client.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stanzagate::load {
namespace {

// One thread, one turn at a time: all clients share these.
struct Buffers {
    std::array<char, 256UL * 1024> received;
    std::array<char, 16UL * 1024> plain;
    std::string outgoing;  // empty between turns
};

Buffers& buffers() {
    static auto const made = std::make_unique<Buffers>();
    return *made;
}

}  // namespace

void ClientOwner::on_failed(Client& /*client*/, const std::string& why) {
    throw std::runtime_error(why);
}

Client::Client(Loop& loop, const Target& target, const TlsClientContext& tls,
               certs::SessionPtr ticket, ClientOwner& owner)
    : loop_(loop),
      target_(target),
      context_(tls),
      ticket_(std::move(ticket)),
      owner_(owner),
      socket_(loop, *this, connect_to(target.address, target.source), EPOLLOUT),
      door_(make_door(target.door)) {}

void Client::on_events(std::uint32_t events) {
    if (state_ == State::closed) return;  // there was one more event in the same batch
    try {
        turn(events);
    } catch (const std::exception& exception) {
        return fail(exception.what());
    }
    if (state_ == State::closed) owner_.on_closed(*this);
}

void Client::turn(std::uint32_t events) {
    if (state_ == State::connecting) return on_connected();
    if ((events & EPOLLOUT) != 0) {
        socket_.flush();
        if (!socket_.blocked() && state_ == State::open) owner_.on_writable(*this);
    }
    if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) on_readable();
}

void Client::on_connected() {
    if (int const error = socket_.connect_error(); error != 0)
        throw std::system_error(error, std::system_category(), "connect");
    state_ = State::at_the_door;
    socket_.want_writable(false);
    door_->on_connected(*this);
}

void Client::on_readable() {
    std::size_t size = 0;
    auto const how = socket_.receive(buffers().received, size);
    if (how == Socket::Read::bytes) {
        std::string_view const bytes(buffers().received.data(), size);
        if (tls_)
            on_encrypted(bytes);
        else
            on_plain(bytes);
        if (state_ == State::open) owner_.on_read(*this);
        flush();
    } else if (how != Socket::Read::nothing) {
        on_end(how);
    }
}

void Client::on_encrypted(std::string_view bytes) {
    tls_->feed(bytes);
    if (!tls_->established()) {
        if (!tls_->handshake()) return;
        door_->on_secured(*this);
    }
    auto& plain = buffers().plain;
    while (auto const size = tls_->read(plain)) on_plain({plain.data(), size});
}

void Client::on_plain(std::string_view bytes) {
    if (state_ == State::closing) return;
    if (state_ == State::at_the_door) return door_->on_bytes(*this, bytes);
    door_->on_received(*this, bytes);
}

void Client::arrived(std::string_view xmpp) {
    if (state_ == State::closed) return;  // and its door has another connection, which is not
    if (step_ < script_.size())
        on_answer(xmpp);
    else
        owner_.on_received(*this, xmpp);
}

std::unique_ptr<Client> Client::another(const Target& target, ClientOwner& owner) const {
    return std::make_unique<Client>(loop_, target, context_, nullptr, owner);
}

void Client::on_answer(std::string_view xmpp) {
    answer_ += xmpp;
    auto const end = end_of(answer_, script_[step_].awaited);
    if (end == std::string::npos) {
        if (answer_.find("<stream:error") != std::string::npos)
            throw std::runtime_error("the stream failed: " + answer_);
        return;
    }
    owner_.on_answer(*this, std::string_view(answer_).substr(0, end));
    answer_ = {};
    ++step_;
    next_step();
}

void Client::play(Script script) {
    script_ = std::move(script);
    step_ = 0;
    next_step();
}

void Client::next_step() {
    if (step_ < script_.size()) return send(script_[step_].send);
    script_ = {};
    step_ = 0;
    owner_.on_played(*this);
}

void Client::send(std::string_view element) {
    door_->send(*this, element);
}

void Client::send_records(std::string_view bytes, std::size_t record) {
    if (!tls_) return socket_.send(bytes);
    while (!bytes.empty()) {
        tls_->write(bytes.substr(0, record));
        bytes.remove_prefix(std::min(record, bytes.size()));
    }
    flush();
}

void Client::close() {
    door_->on_close(*this);
    state_ = State::closing;
    if (tls_) tls_->close();
    flush();
    socket_.close_write();
}

void Client::cut() {
    state_ = State::closed;
    socket_.reset();
}

void Client::fail(const std::string& why) {
    if (state_ == State::closed) return;
    state_ = State::closed;
    buffers().outgoing.clear();
    socket_.close();
    owner_.on_failed(*this, why);
}

void Client::send_raw(std::string_view bytes) {
    socket_.send(bytes);
}

void Client::start_tls() {
    tls_.emplace(context_, target_.host, ticket_.get(), buffers().outgoing);
    ticket_.reset();
    tls_->handshake();
    flush();
}

void Client::opened() {
    state_ = State::open;
    owner_.on_open(*this);
}

void Client::on_end(Socket::Read how) {
    if (state_ != State::closing)
        throw std::runtime_error(how == Socket::Read::reset ? "a connection was reset"
                                                            : "a connection was closed");
    state_ = State::closed;
    socket_.close();
}

void Client::flush() {
    if (auto& outgoing = buffers().outgoing; !outgoing.empty()) {
        socket_.send(outgoing);
        outgoing.clear();
    }
}

}  // namespace stanzagate::load
