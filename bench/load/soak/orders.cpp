#include "bench/load/soak/orders.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace stanzagate::load {

Orders::Orders(Loop& loop, Handler handler) : handler_(std::move(handler)) {
    ::fcntl(STDIN_FILENO, F_SETFL, ::fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    loop.add(STDIN_FILENO, *this, EPOLLIN);
}

void Orders::on_events(std::uint32_t /*events*/) {
    std::array<char, 256> bytes{};
    auto const size = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size <= 0) throw std::runtime_error("standard input has ended");
    text_.append(bytes.data(), static_cast<std::size_t>(size));
    for (auto end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
        auto const line = text_.substr(0, end);
        text_.erase(0, end + 1);
        handler_(line);
    }
}

Ticker::Ticker(Loop& loop, std::chrono::milliseconds every, std::function<void()> handler)
    : timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)),
      handler_(std::move(handler)) {
    itimerspec times{};
    times.it_interval.tv_sec = every.count() / 1000;
    times.it_interval.tv_nsec = every.count() % 1000 * 1'000'000;
    times.it_value = times.it_interval;
    if (!timer_ || ::timerfd_settime(timer_.get(), 0, &times, nullptr) != 0)
        throw std::system_error(errno, std::system_category(), "timerfd");
    loop.add(timer_.get(), *this, EPOLLIN);
}

void Ticker::on_events(std::uint32_t /*events*/) {
    std::uint64_t expired = 0;
    if (::read(timer_.get(), &expired, sizeof expired) == sizeof expired) handler_();
}

}  // namespace stanzagate::load
