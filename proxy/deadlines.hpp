#pragma once

#include <boost/intrusive/set.hpp>
#include <chrono>

namespace stanzagate::proxy {

class Deadlines;

// One moment by which something must have happened. Belongs to what it guards; costs nothing while
// it is not set. Destroying it cancels it. Its hook is not the compact one, whose colour shares a
// word with a pointer and is not initialised, which tools that look for such things cannot tell
// from a mistake.
class Deadline : public boost::intrusive::set_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>,
                     boost::intrusive::optimize_size<false>> {
public:
    using Clock = std::chrono::steady_clock;
    using Handler = void (*)(void* context);

    Deadline(Deadlines& deadlines, Handler handler, void* context)
        : deadlines_(deadlines), handler_(handler), context_(context) {}
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    // Replaces what was set before. The handler runs once, on the worker, when the time has passed.
    void set(Clock::duration from_now);
    void cancel() { unlink(); }
    bool is_set() const { return is_linked(); }

    friend bool operator<(const Deadline& a, const Deadline& b) { return a.at_ < b.at_; }

private:
    friend class Deadlines;

    Deadlines& deadlines_;
    Handler handler_;
    void* context_;
    Clock::time_point at_{};
};

// All deadlines of a worker. They are kept to within `grain`, and never early: what is guarded here
// is measured in seconds.
class Deadlines {
public:
    static constexpr std::chrono::milliseconds grain{20};

    Deadlines() = default;
    Deadlines(const Deadlines&) = delete;
    Deadlines& operator=(const Deadlines&) = delete;

    bool empty() const { return pending_.empty(); }
    // How long nothing is to be done; milliseconds::max() where nothing is set.
    std::chrono::milliseconds sleep_time() const;
    // Calls the handlers of those that are due.
    void run();
    // Brings all that are set now nearer, as if so much time had passed: for tests, which do not
    // wait.
    void pass(Deadline::Clock::duration time);

private:
    friend class Deadline;

    boost::intrusive::multiset<Deadline, boost::intrusive::constant_time_size<false>> pending_;
};

}  // namespace stanzagate::proxy
