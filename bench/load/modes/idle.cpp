// Many sessions that do nothing: some first, then all. With --wait both are held until told to go
// on; the work is to close them all, and afterwards the load waits again.
#include <algorithm>
#include <chrono>

#include "bench/load/modes/sessions.hpp"

namespace stanzagate::load {
namespace {

class Idle final : public SessionsMode {
public:
    using SessionsMode::SessionsMode;

    void prepare() override {
        if (run_.options.first > 0) {
            set_up(std::min(run_.options.first, run_.options.sessions));
            Report first("first");
            first.add("sessions", std::uint64_t{clients_.size()});
            first.print();
            if (run_.options.wait) wait_for_line();
        }
        SessionsMode::prepare();
    }

    void work() override {
        auto const began = Clock::now();
        for (auto const& client : clients_) client->close();
        run_.loop.run([&] { return closed_ == clients_.size(); });
        took_ = Clock::now() - began;
    }

    void report(Report& into) override {
        into.add("sessions", std::uint64_t{closed_});
        into.add("seconds", took_.count());
    }

private:
    std::chrono::duration<double> took_{};
};

}  // namespace

std::unique_ptr<Mode> make_idle(Run& run) {
    return std::make_unique<Idle>(run);
}

}  // namespace stanzagate::load
