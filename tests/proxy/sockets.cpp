#include "tests/proxy/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <thread>

namespace {

std::atomic<std::size_t> receives{0};
std::atomic<std::size_t> sends{0};
std::atomic<int> buffer_size{0};
std::atomic<int> failing_connects{0};
std::atomic<int> connect_error{0};

}  // namespace

// The program's own definitions come before the C library's: that is how calls are counted.
extern "C" ssize_t recv(int fd, void* into, size_t size, int flags) {
    ++receives;
    return ::recvfrom(fd, into, size, flags, nullptr, nullptr);
}

extern "C" ssize_t send(int fd, const void* bytes, size_t size, int flags) {
    ++sends;
    return ::sendto(fd, bytes, size, flags, nullptr, 0);
}

extern "C" int connect(int fd, const sockaddr* address, socklen_t size) {
    if (failing_connects > 0) {
        --failing_connects;
        errno = connect_error;
        return -1;
    }
    if (int const small = buffer_size; small != 0) {
        ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    return static_cast<int>(::syscall(SYS_connect, fd, address, size));
}

namespace stanzagate::proxy::testing {
namespace {

void check(bool done, const char* what) {
    if (!done) throw std::runtime_error(what);
}

}  // namespace

bool eventually(const std::function<bool()>& holds, const std::function<void()>& step) {
    auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        if (step)
            step();
        else
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

TcpPair::TcpPair(int send_buffer) {
    Fd const listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener.get(), generic, size) == 0, "bind");
    if (send_buffer != 0)
        ::setsockopt(listener.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    check(::listen(listener.get(), 1) == 0, "listen");
    check(::getsockname(listener.get(), generic, &size) == 0, "getsockname");
    theirs = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (send_buffer != 0)
        ::setsockopt(theirs.get(), SOL_SOCKET, SO_RCVBUF, &send_buffer, sizeof send_buffer);
    check(::connect(theirs.get(), generic, size) == 0, "connect");
    ours = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    check(static_cast<bool>(ours), "accept");
    int const on = 1;
    ::setsockopt(theirs.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(ours.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    timeval const limit{10, 0};
    ::setsockopt(theirs.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(theirs.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void say(const Fd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = ::sendto(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, nullptr, 0);
        if (sent <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string hear(const Fd& fd, std::size_t size) {
    std::string heard(size, '\0');
    std::size_t got = 0;
    while (got < size) {
        auto const n = ::recvfrom(fd.get(), heard.data() + got, size - got, 0, nullptr, nullptr);
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    heard.resize(got);
    return heard;
}

std::string hear_to_end(const Fd& fd) {
    std::string heard;
    for (;;) {
        auto const more = hear(fd, 1);
        if (more.empty()) return heard;
        heard += more;
        std::array<char, 65536> buffer{};
        auto const n =
            ::recvfrom(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT, nullptr, nullptr);
        if (n > 0) heard.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

void say_no_more(const Fd& fd) {
    ::shutdown(fd.get(), SHUT_WR);
}

void say_last(const Fd& fd, std::string_view bytes) {
    int const on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    say(fd, bytes);
    say_no_more(fd);
}

void reset(Fd fd) {
    linger const now{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

WireEvents::WireEvents(Wire& wire) : wire_(wire), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    check(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wire.fd(), &event) == 0, "epoll_ctl");
}

bool WireEvents::wait(std::chrono::milliseconds limit) {
    epoll_event event{};
    if (::epoll_wait(epoll_.get(), &event, 1, static_cast<int>(limit.count())) != 1) return false;
    wire_.on_events(event.events);
    return true;
}

std::size_t SystemCalls::receives() {
    return ::receives;
}

std::size_t SystemCalls::sends() {
    return ::sends;
}

SmallBuffers::SmallBuffers(int size) {
    buffer_size = size;
}

SmallBuffers::~SmallBuffers() {
    buffer_size = 0;
}

void fail_connects(int error, int calls) {
    connect_error = error;
    failing_connects = calls;
}

void SystemCalls::reset() {
    ::receives = 0;
    ::sends = 0;
}

}  // namespace stanzagate::proxy::testing
