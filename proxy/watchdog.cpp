#include "proxy/watchdog.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

#include "config/whole_number.hpp"

namespace stanzagate::proxy {
namespace {

constexpr int looks_within_limit = 4;

}  // namespace

std::optional<std::chrono::microseconds> watchdog_limit(pid_t self, const char* microseconds,
                                                        const char* pid) {
    if (pid && config::whole_number<std::int64_t>(pid) != self) return std::nullopt;
    auto const limit = config::whole_number<std::int64_t>(microseconds ? microseconds : "");
    if (!limit || *limit <= 0) return std::nullopt;
    return std::chrono::microseconds(*limit);
}

Watchdog::Watchdog(boost::asio::io_context& background, std::vector<Post> loops,
                   std::function<void()> alive, const Log& log)
    : loops_(std::move(loops)), alive_(std::move(alive)), log_(log), timer_(background) {}

void Watchdog::start(std::chrono::microseconds limit) {
    pause_ = limit / looks_within_limit;
    wait();
    ask();
}

void Watchdog::stop() {
    pause_ = {};
    timer_.cancel();
}

// Where that throws, for want of memory say, there is no round: the next look begins another.
void Watchdog::ask() {
    late_ = 0;
    missing_.reset();
    auto const missing = std::make_shared<std::atomic<std::size_t>>(loops_.size());
    for (auto const& post : loops_) post([missing] { --*missing; });
    missing_ = missing;
}

void Watchdog::wait() {
    timer_.expires_after(pause_);
    timer_.async_wait([this](const boost::system::error_code& error) {
        if (error || pause_.count() == 0) return;
        wait();
        look();
    });
}

// Once in the middle of the silence, so that the log tells why the process was started again.
void Watchdog::look() {
    if (!missing_) return ask();
    if (auto const missing = missing_->load(); missing != 0) {
        if (++late_ == looks_within_limit / 2)
            log_.error("worker_stuck", {{"count", missing}, {"consequence", "no WATCHDOG=1"}});
        return;
    }
    alive_();
    ask();
}

}  // namespace stanzagate::proxy
