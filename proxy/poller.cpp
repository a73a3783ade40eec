#include "proxy/poller.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

namespace stanzagate::proxy {
namespace {

constexpr std::uintptr_t upstream_bit = 1;

int make_epoll() {
    int const fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) throw std::system_error(errno, std::system_category(), "epoll_create1");
    return fd;
}

}  // namespace

Poller::Poller(boost::asio::io_context& io) : io_(io), epoll_(io, make_epoll()) {
    wait();
}

Poller::~Poller() = default;

bool Poller::add(int fd, Pollable& who, Side side) {
    auto tagged = reinterpret_cast<std::uintptr_t>(&who);
    if (side == Side::upstream) tagged |= upstream_bit;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.u64 = tagged;
    return ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void Poller::again(Pollable& who) {
    if (who.buried || std::exchange(who.again_queued, true)) return;
    again_.push_back(&who);
    if (std::exchange(again_posted_, true)) return;
    boost::asio::post(io_, [this] { run_again(); });
}

void Poller::bury(Pollable& who) {
    who.buried = true;
    if (std::exchange(who.again_queued, false)) std::erase(again_, &who);
}

void Poller::wait() {
    epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [this](const boost::system::error_code& error) {
                          if (error) return;
                          drain();
                          wait();
                      });
}

void Poller::drain() {
    std::array<epoll_event, 256> events;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    int const count = ::epoll_wait(epoll_.native_handle(), events.data(), events.size(), 0);
    for (int i = 0; i < count; ++i) {
        auto const& event = events[static_cast<std::size_t>(i)];
        auto const tagged = static_cast<std::uintptr_t>(event.data.u64);
        // The tag was added to a pointer above.  NOLINTNEXTLINE(performance-no-int-to-ptr)
        auto* const who = reinterpret_cast<Pollable*>(tagged & ~upstream_bit);
        // An earlier event of this turn may have ended it.
        if (who->buried) continue;
        who->on_events((tagged & upstream_bit) != 0 ? Side::upstream : Side::client, event.events);
    }
}

void Poller::run_again() {
    again_posted_ = false;
    auto const batch = std::exchange(again_, {});
    for (auto* const who : batch) {
        if (who->buried || !std::exchange(who->again_queued, false)) continue;
        who->on_again();
    }
}

}  // namespace stanzagate::proxy
