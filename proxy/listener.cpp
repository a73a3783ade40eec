#include "proxy/listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "proxy/error_text.hpp"
#include "proxy/socket_address.hpp"
#include "proxy/worker.hpp"

namespace stanzagate::proxy {
namespace {

constexpr int batch = 64;
constexpr std::chrono::milliseconds starved_pause{250};

}  // namespace

Listener::Listener(Worker& worker, Door door)
    : worker_(worker),
      key_(std::move(door.key)),
      listen_(std::move(door.listen)),
      socket_(std::move(door.socket)),
      ours_(door.ours),
      retry_(
          worker.loop().deadlines(),
          [](void* self) { static_cast<Listener*>(self)->accept_batch(); }, this) {
    if (!worker_.loop().add_listening(socket_.get(), *this))
        throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

void Listener::stop() {
    worker_.loop().bury(*this);
    retry_.cancel();
    worker_.loop().remove(socket_.get());
    socket_.reset();
}

void Listener::hand_over() {
    // As many as can have waited until now. Of those that come meanwhile the other process hears.
    for (int batches = 0; batches <= SOMAXCONN / batch; ++batches) {
        try {
            if (!accept_some()) break;
        } catch (const std::exception& exception) {
            // For one of them there was no memory; the others come in.
            worker_.log().write_first(config::LogLevel::error, "exception",
                                      {{"what", exception.what()}});
        }
    }
    stop();
}

void Listener::on_events(Side, std::uint32_t) {
    if (!starved_) accept_batch();
}

void Listener::on_again() {
    accept_batch();
}

void Listener::accept_batch() {
    if (accept_some()) worker_.loop().again(*this);
}

// True: there may be more.
bool Listener::accept_some() {
    for (int i = 0; i < batch; ++i) {
        SocketAddress peer;
        Fd socket(::accept4(socket_.get(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!socket) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) {
                everybody_is_in();
                return false;
            }
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                pause(errno);
                return false;
            }
            continue;  // that connection is gone already
        }
        try {
            worker_.accept(std::move(socket), listen_, to_endpoint(peer));
        } catch (...) {
            retry_.set(starved_pause);  // no event tells of those that wait behind it
            throw;
        }
    }
    return true;
}

// Not before: while there are fewer descriptors than clients, each one that goes lets one in.
void Listener::everybody_is_in() {
    if (std::exchange(starved_, false))
        worker_.log().write_first(config::LogLevel::info, "accept_resumed", {});
}

void Listener::pause(int error) {
    if (!std::exchange(starved_, true))
        worker_.log().write_first(config::LogLevel::error, "accept_paused",
                                  {{"reason", error_text(error)}});
    retry_.set(starved_pause);
}

namespace {

Fd bound_socket(const config::Endpoint& endpoint, bool shared) {
    auto const address = to_socket_address(endpoint);
    Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return fd;
    int const on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shared) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // [::] is IPv6 only: IPv4 has its own line in the configuration.
    if (address.family() == AF_INET6)
        ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    set_no_delay(fd.get());  // what is accepted inherits these
    set_keepalive(fd.get());
    if (::bind(fd.get(), address.get(), address.size) != 0) return Fd();
    return fd;
}

}  // namespace

std::optional<std::string> why_not_free(const config::Endpoint& endpoint, std::string_view advice) {
    auto const fd = bound_socket(endpoint, false);
    if (fd && start_listening(fd)) return std::nullopt;
    bool const is_taken = errno == EADDRINUSE;
    auto reason = error_text(errno);
    if (is_taken) reason += advice;
    return reason;
}

std::variant<Fd, std::string> bind_listening_socket(config::Endpoint& endpoint) {
    auto fd = bound_socket(endpoint, true);
    if (!fd) return error_text(errno);
    endpoint = local_endpoint(fd.get());
    return fd;
}

bool start_listening(const Fd& fd) {
    return ::listen(fd.get(), SOMAXCONN) == 0;
}

std::variant<Fd, std::string> open_listening_socket(config::Endpoint& endpoint) {
    auto bound = bind_listening_socket(endpoint);
    if (auto const* const fd = std::get_if<Fd>(&bound); fd && !start_listening(*fd))
        return error_text(errno);
    return bound;
}

}  // namespace stanzagate::proxy
