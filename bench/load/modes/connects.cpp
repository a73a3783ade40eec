// Connection after connection, `sessions` of them at a time, each going as far as the mode says and
// then closing: a handshake, full or resumed; the set-up to the bind result; or a registration
// exchange (get and set) before authentication.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "bench/load/latencies.hpp"
#include "bench/load/mode.hpp"

namespace stanzagate::load {
namespace {

class Connects final : public Mode, public ClientOwner {
public:
    explicit Connects(Run& run) : run_(run) {}

    // One connection before all others, whose ticket the first of them need.
    void prepare() override {
        wanted_ = 1;
        slots_.resize(1);
        next(slots_.front());
        run_.loop.run([&] { return closed_ == wanted_; });
    }

    void work() override {
        begun_ = closed_ = resumed_ = 0;
        wanted_ = run_.options.count;
        durations_ = {};
        durations_.reserve(wanted_);
        auto const began = Clock::now();
        slots_.clear();
        slots_.resize(std::min(run_.options.sessions, wanted_));
        for (auto& slot : slots_) next(slot);
        run_.loop.run([&] { return closed_ == wanted_; });
        took_ = Clock::now() - began;
        if (resumed_ != (run_.options.mode == "resumed" ? wanted_ : 0))
            throw std::runtime_error(std::to_string(resumed_) + " of " + std::to_string(wanted_) +
                                     " handshakes were resumed");
    }

    void report(Report& into) override {
        into.add("connections", closed_);
        into.add("resumed", resumed_);
        into.add("seconds", took_.count());
        into.add("p50_us", durations_.percentile(0.5));
        into.add("p99_us", durations_.percentile(0.99));
    }

private:
    struct Slot {
        std::unique_ptr<Client> client;
        Clock::time_point began;
    };

    bool only_to_the_ticket() const { return is_handshake() && run_.options.until == "ticket"; }
    bool is_handshake() const {
        return run_.options.mode == "handshake" || run_.options.mode == "resumed";
    }

    void next(Slot& slot) {
        auto ticket = run_.options.mode == "resumed" ? run_.tls.newest_ticket() : nullptr;
        ++begun_;
        slot.began = Clock::now();
        slot.client =
            std::make_unique<Client>(run_.loop, run_.target, run_.tls, std::move(ticket), *this);
    }

    void on_open(Client& client) override {
        auto const header = client.door().header(client.host());
        if (run_.options.mode == "setup")
            client.play(login(header));
        else if (run_.options.mode == "registration")
            client.play(registration(header));
        else if (!only_to_the_ticket())
            client.play(greeting(header));
    }

    void on_read(Client& client) override {
        if (only_to_the_ticket() && client.has_ticket()) client.close();
    }

    void on_played(Client& client) override { client.close(); }

    void on_closed(Client& client) override {
        auto& slot = *std::find_if(slots_.begin(), slots_.end(),
                                   [&](auto const& one) { return one.client.get() == &client; });
        ++closed_;
        if (client.resumed()) ++resumed_;
        durations_.add(Clock::now() - slot.began);
        if (begun_ < wanted_) next(slot);  // and `client` is no more
    }

    Run& run_;
    std::vector<Slot> slots_;
    std::uint64_t wanted_ = 0;
    std::uint64_t begun_ = 0;
    std::uint64_t closed_ = 0;
    std::uint64_t resumed_ = 0;
    Latencies durations_;
    std::chrono::duration<double> took_{};
};

}  // namespace

std::unique_ptr<Mode> make_connects(Run& run) {
    return std::make_unique<Connects>(run);
}

}  // namespace stanzagate::load
