#pragma once

#include <sys/types.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/log.hpp"

namespace stanzagate::proxy {

// After how long a silence systemd starts the process again, as WATCHDOG_USEC and WATCHDOG_PID say
// (sd_watchdog_enabled(3)); nullopt where it does not, or where they are for another process.
std::optional<std::chrono::microseconds> watchdog_limit(pid_t self, const char* microseconds,
                                                        const char* pid);

// Says that the process is alive, as long as every one of its event loops is: each is given a task,
// and only when all have come to it does the service manager hear of it, and the next round begins.
// Runs on the background loop, so that this one is asked, too.
class Watchdog {
public:
    // How a task comes to a loop (EventLoop::post()).
    using Post = std::function<void(std::function<void()>)>;

    Watchdog(boost::asio::io_context& background, std::vector<Post> loops,
             std::function<void()> alive, const Log& log);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    // Four times within `limit`.
    void start(std::chrono::microseconds limit);
    void stop();

private:
    void ask();
    void wait();
    void look();

    std::vector<Post> loops_;
    std::function<void()> alive_;
    const Log& log_;
    std::chrono::microseconds pause_{};
    unsigned late_ = 0;  // how often one was missing in this round
    // How many have not come to it. Of the round, since a late one may come in the next; empty
    // where none could be begun.
    std::shared_ptr<std::atomic<std::size_t>> missing_;
    boost::asio::steady_timer timer_;
};

}  // namespace stanzagate::proxy
