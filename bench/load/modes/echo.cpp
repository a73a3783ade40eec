// Messages at a fixed rate, whether or not earlier ones have come back: the time from sending each
// until the whole of it is back. Rate 0 is in lock-step: each session sends its next message when
// its last is back, so that how many calls and wake-ups that takes does not depend on time.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <deque>
#include <string_view>
#include <system_error>
#include <unordered_map>

#include "bench/load/latencies.hpp"
#include "bench/load/modes/sessions.hpp"

namespace stanzagate::load {
namespace {

using std::chrono::nanoseconds;

// Counts messages by their ends, in whatever pieces they come: a proxy may have written more into
// their start tags.
class EndTags {
public:
    std::size_t count(std::string_view xmpp) {
        constexpr std::string_view wanted = "</message>";
        std::size_t ends = 0;
        while (!xmpp.empty()) {
            if (matched_ == 0) {
                auto const begin = xmpp.find('<');
                if (begin == std::string_view::npos) break;
                xmpp.remove_prefix(begin);
            }
            // Nothing but its first byte is a '<'.
            if (xmpp.front() != wanted[matched_]) {
                matched_ = 0;
                if (xmpp.front() == '<') continue;
            } else if (++matched_ == wanted.size()) {
                ++ends;
                matched_ = 0;
            }
            xmpp.remove_prefix(1);
        }
        return ends;
    }

private:
    std::size_t matched_ = 0;  // of an end tag that is not whole yet
};

class Echo final : public SessionsMode, private Watcher {
public:
    explicit Echo(Run& run)
        : SessionsMode(run),
          stanza_(message(run.options.stanza)),
          interval_(run.options.rate == 0 ? nanoseconds(0)
                                          : nanoseconds(std::chrono::seconds(1)) /
                                                static_cast<std::int64_t>(run.options.rate)) {
        round_trips_.reserve(run.options.count);
        lateness_.reserve(run.options.count);
    }

    void work() override {
        auto const began = Clock::now();
        if (run_.options.rate == 0)
            in_lock_step();
        else
            by_the_clock();
        took_ = Clock::now() - began;
    }

    void report(Report& into) override {
        into.add("stanzas", std::uint64_t{round_trips_.count()});
        into.add("sessions", run_.options.sessions);
        into.add("seconds", took_.count());
        into.add("p50_us", round_trips_.percentile(0.5));
        into.add("p99_us", round_trips_.percentile(0.99));
        into.add("p999_us", round_trips_.percentile(0.999));
        // How late the load itself was: where this is large, so is the machine's noise.
        into.add("late_p50_us", lateness_.percentile(0.5));
        into.add("late_p99_us", lateness_.percentile(0.99));
    }

private:
    struct Echoed {
        std::deque<Clock::time_point> sent;
        EndTags back;
    };

    void in_lock_step() {
        for (auto const& client : clients_)
            if (sent_ < run_.options.count) send(*client, Clock::now());
        run_.loop.run([&] { return round_trips_.count() == run_.options.count; });
    }

    void by_the_clock() {
        Fd const timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
        itimerspec every{};
        every.it_interval.tv_sec = interval_.count() / 1'000'000'000;
        every.it_interval.tv_nsec = interval_.count() % 1'000'000'000;
        every.it_value = every.it_interval;
        timer_ = timer.get();
        if (!timer || ::timerfd_settime(timer_, 0, &every, nullptr) != 0)
            throw std::system_error(errno, std::system_category(), "timerfd");
        run_.loop.add(timer_, *this, EPOLLIN);
        due_ = Clock::now() + interval_;
        run_.loop.run([&] { return round_trips_.count() == run_.options.count; });
    }

    void on_events(std::uint32_t /*events*/) override {
        std::uint64_t expired = 0;
        if (::read(timer_, &expired, sizeof expired) != sizeof expired) return;
        for (; expired > 0 && sent_ < run_.options.count; --expired) {
            auto const now = Clock::now();
            lateness_.add(now - due_);
            due_ += interval_;
            send(*clients_[sent_ % clients_.size()], now);
        }
    }

    void on_received(Client& client, std::string_view xmpp) override {
        auto& echoed = echoed_[&client];
        auto const now = Clock::now();
        for (auto back = echoed.back.count(xmpp); back > 0; --back) {
            round_trips_.add(now - echoed.sent.front());
            echoed.sent.pop_front();
            if (run_.options.rate == 0 && sent_ < run_.options.count) send(client, now);
        }
    }

    void send(Client& client, Clock::time_point now) {
        ++sent_;
        echoed_[&client].sent.push_back(now);
        client.send(stanza_);
    }

    std::string stanza_;
    nanoseconds interval_;
    int timer_ = -1;
    Clock::time_point due_;
    std::uint64_t sent_ = 0;
    std::unordered_map<Client*, Echoed> echoed_;
    Latencies round_trips_;
    Latencies lateness_;
    std::chrono::duration<double> took_{};
};

}  // namespace

std::unique_ptr<Mode> make_echo(Run& run) {
    return std::make_unique<Echo>(run);
}

}  // namespace stanzagate::load
