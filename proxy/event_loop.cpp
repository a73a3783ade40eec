#include "proxy/event_loop.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <system_error>
#include <utility>

namespace stanzagate::proxy {
namespace {

using std::chrono::milliseconds;

constexpr std::uintptr_t upstream_bit = 1;
constexpr std::size_t most_events = 256;

Fd made(int fd, const char* by) {
    if (fd < 0) throw std::system_error(errno, std::system_category(), by);
    return Fd(fd);
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(made(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      wake_(made(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")) {
    ready_.reserve(most_events);
    if (!add(wake_.get(), mailbox_))
        throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

EventLoop::~EventLoop() = default;

bool EventLoop::add(int fd, Pollable& who, Side side) {
    return tell_of(fd, who, side, EPOLL_CTL_ADD);
}

bool EventLoop::move(int fd, Pollable& who, Side side) {
    return tell_of(fd, who, side, EPOLL_CTL_MOD);
}

bool EventLoop::add_listening(int fd, Pollable& who) {
    return control(fd, EPOLL_CTL_ADD, EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
                   reinterpret_cast<std::uintptr_t>(&who));
}

void EventLoop::remove(int fd) {
    control(fd, EPOLL_CTL_DEL, 0, 0);
}

bool EventLoop::tell_of(int fd, Pollable& who, Side side, int operation) {
    auto tagged = reinterpret_cast<std::uintptr_t>(&who);
    if (side == Side::upstream) tagged |= upstream_bit;
    return control(fd, operation, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, tagged);
}

bool EventLoop::control(int fd, int operation, std::uint32_t events, std::uintptr_t who) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = who;
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void EventLoop::again(Pollable& who) {
    if (!who.buried && !std::exchange(who.again_queued, true)) again_.push_back(&who);
}

void EventLoop::bury(Pollable& who) {
    who.buried = true;
    if (std::exchange(who.again_queued, false)) std::erase(again_, &who);
}

void EventLoop::post(Task task) {
    std::lock_guard const lock(mutex_);
    posted_.push_back(std::move(task));
    ::eventfd_write(wake_.get(), 1);
}

void EventLoop::stop() {
    post([this] { stopped_ = true; });
}

void EventLoop::run() {
    while (!stopped_) run_once(milliseconds::max());
}

void EventLoop::run_once(milliseconds longest) {
    if (ready_.empty() && batch_.empty()) wait(sleep_time(longest));
    tell();
    deadlines_.run();
    run_again();
    run_later();
}

int EventLoop::sleep_time(milliseconds longest) const {
    if (!again_.empty() || !later_.empty()) return 0;
    auto const time = std::min(longest, deadlines_.sleep_time());
    return time == milliseconds::max() ? -1 : static_cast<int>(time.count());
}

void EventLoop::wait(int milliseconds) {
    std::array<epoll_event, most_events> events;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    int const count = ::epoll_wait(epoll_.get(), events.data(), most_events, milliseconds);
    for (int i = count - 1; i >= 0; --i) {
        auto const& event = events[static_cast<std::size_t>(i)];
        ready_.push_back({static_cast<std::uintptr_t>(event.data.u64), event.events});
    }
}

// Here and below, each is off its list before it runs, since it may throw.
void EventLoop::tell() {
    while (!ready_.empty()) {
        auto const event = ready_.back();
        ready_.pop_back();
        // The tag was added to a pointer in add().  NOLINTNEXTLINE(performance-no-int-to-ptr)
        auto* const who = reinterpret_cast<Pollable*>(event.who & ~upstream_bit);
        // An earlier event of this round may have ended it.
        if (who->buried) continue;
        who->on_events((event.who & upstream_bit) != 0 ? Side::upstream : Side::client,
                       event.events);
    }
}

void EventLoop::Mailbox::on_events(Side, std::uint32_t events) {
    if ((events & EPOLLIN) != 0) loop_.collect_posted();
}

void EventLoop::collect_posted() {
    eventfd_t ignored = 0;
    ::eventfd_read(wake_.get(), &ignored);
    std::lock_guard const lock(mutex_);
    std::move(posted_.begin(), posted_.end(), std::back_inserter(later_));
    posted_.clear();
}

// Who asks again from within waits for the next round, after what is ready then.
void EventLoop::run_again() {
    if (batch_.empty()) std::swap(batch_, again_);
    while (!batch_.empty()) {
        auto* const who = batch_.front();
        batch_.pop_front();
        if (!who->buried && std::exchange(who->again_queued, false)) who->on_again();
    }
}

void EventLoop::run_later() {
    while (!later_.empty()) {
        auto const task = std::move(later_.front());
        later_.pop_front();
        task();
    }
}

}  // namespace stanzagate::proxy
