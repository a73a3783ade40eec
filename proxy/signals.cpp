#include "proxy/signals.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <utility>

namespace stanzagate::proxy {

Signals::Signals(boost::asio::io_context& background, Actions actions)
    : actions_(std::move(actions)),
      stop_signals_(background, SIGTERM, SIGINT),
      reload_signals_(background, SIGHUP),
      takeover_signals_(background, SIGUSR2) {
    wait_for_stop();
    wait_for_reload();
    wait_for_takeover();
}

// Each waits for the next signal before it acts on this one: what it calls may throw.

void Signals::wait_for_stop() {
    stop_signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        if (std::exchange(stopping_, true)) ::_exit(EXIT_SUCCESS);
        wait_for_stop();
        actions_.stop();
    });
}

void Signals::wait_for_reload() {
    reload_signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        wait_for_reload();
        if (!stopping_) actions_.reload();
    });
}

void Signals::wait_for_takeover() {
    takeover_signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        wait_for_takeover();
        actions_.take_over();
    });
}

void ignore_further_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (int const signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR2}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace stanzagate::proxy
