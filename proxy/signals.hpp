#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

namespace stanzagate::proxy {

// Waits for signals on the background loop and passes them on, also when an action throws, which
// whoever runs the loop hears of. A second one to stop ends the process at once.
class Signals {
public:
    struct Actions {
        std::function<void()> stop;       // SIGTERM, SIGINT
        std::function<void()> reload;     // SIGHUP, unless it stops
        std::function<void()> take_over;  // SIGUSR2
    };

    Signals(boost::asio::io_context& background, Actions actions);
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

private:
    void wait_for_stop();
    void wait_for_reload();
    void wait_for_takeover();

    Actions actions_;
    boost::asio::signal_set stop_signals_;
    boost::asio::signal_set reload_signals_;
    boost::asio::signal_set takeover_signals_;
    bool stopping_ = false;
};

// When there is nobody left to tell.
void ignore_further_signals();

}  // namespace stanzagate::proxy
