// The sink sends messages to every session as fast as they go.
#include <algorithm>
#include <chrono>

#include "bench/load/modes/sessions.hpp"

namespace stanzagate::load {
namespace {

constexpr std::size_t block_bytes = std::size_t{64} * 1024;  // that the server writes in one go

class FloodDown final : public SessionsMode {
public:
    explicit FloodDown(Run& run) : SessionsMode(run) {
        auto const& options = run.options;
        auto const stanza = message(options.stanza);
        for (auto n = std::max<std::uint64_t>(1, block_bytes / options.stanza); n > 0; --n)
            block_ += stanza;
        blocks_each_ =
            std::max<std::uint64_t>(1, options.bytes / (block_.size() * options.sessions));
    }

    void work() override {
        auto const began = Clock::now();
        run_.sink->flood(block_, blocks_each_);
        run_.loop.run([&] { return received_ >= bytes(); });
        took_ = Clock::now() - began;
    }

    void report(Report& into) override {
        into.add("bytes", bytes());
        into.add("stanzas", bytes() / run_.options.stanza);
        into.add("sessions", run_.options.sessions);
        into.add("seconds", took_.count());
    }

private:
    std::uint64_t bytes() const { return blocks_each_ * block_.size() * run_.options.sessions; }
    void on_received(Client& /*client*/, std::string_view xmpp) override {
        received_ += xmpp.size();
    }

    std::string block_;
    std::uint64_t blocks_each_ = 0;
    std::uint64_t received_ = 0;
    std::chrono::duration<double> took_{};
};

}  // namespace

std::unique_ptr<Mode> make_flood_down(Run& run) {
    return std::make_unique<FloodDown>(run);
}

}  // namespace stanzagate::load
