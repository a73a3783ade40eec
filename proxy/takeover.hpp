#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/log.hpp"
#include "proxy/successor.hpp"

namespace stanzagate::proxy {

// Lets a new process take this one's place: starts it, waits until it has said that it serves, and
// hands over. Until then this one serves as before, and goes on where the new one fails. After that
// nobody serves where the new one dies; then this one ends, so that a supervisor sees it. On the
// background loop.
//   begin(), for each SIGUSR2
class Takeover {
public:
    struct Steps {
        std::function<std::variant<Successor, std::string>()> start;
        std::function<void()> hand_over;  // the other serves: accept no more
        std::function<void()> reload;     // one that was put off
        std::function<void()> end;        // the other serves no more: nor need this one stay
    };
    struct Times {
        std::chrono::milliseconds limit{30'000};  // in which the new process has to be ready
        std::chrono::milliseconds pause{1'000};   // between two looks whether it still is there
    };

    Takeover(boost::asio::io_context& background, Steps steps, const Log& log, Times times);
    Takeover(boost::asio::io_context& background, Steps steps, const Log& log);
    Takeover(const Takeover&) = delete;
    Takeover& operator=(const Takeover&) = delete;

    void begin();
    // The process stops: so does who was about to take its place.
    void abandon();
    bool is_done() const { return state_ == State::done; }
    // Whether a reload is not this process's: one that serves in its place is told to do it. One
    // that is about to may have read the configuration already: when it serves it is told to read
    // it again; where it fails, this one does so.
    bool sees_to_reload();

private:
    enum class State : std::uint8_t { idle, waiting, done, stopping };

    void refuse(std::string_view reason) const;
    void wait();
    void wait_for_end(int looks);
    void succeed();
    void watch();
    void look();
    void fail(const std::string& reason);

    Steps steps_;
    const Log& log_;
    Times times_;
    pid_t parent_;  // at the start: where that is gone, nobody waits for this process
    State state_ = State::idle;
    bool reload_wanted_ = false;
    pid_t pid_ = 0;
    boost::asio::posix::stream_descriptor channel_;
    std::array<char, 1> heard_{};
    boost::asio::steady_timer timer_;
};

// Why the end of process `self` would be its successor's, too; empty where it would not. Process 1
// of a container ends when what it has started does (docker run --init), and then all does; systemd
// does the same to a service unless it is told which process is the main one now.
std::string_view why_no_successor(pid_t self, pid_t parent, bool has_service_manager);

// How a process has ended, by its status (waitpid(2)), for people.
std::string how_it_ended(int status);

}  // namespace stanzagate::proxy
