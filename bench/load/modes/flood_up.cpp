// Clients send messages as fast as they go, and the sink drops them: either in full TLS records
// ("flood-up"), or each message in a record of its own ("records").
#include <algorithm>
#include <chrono>

#include "bench/load/modes/sessions.hpp"

namespace stanzagate::load {
namespace {

constexpr std::size_t full_record = std::size_t{16} * 1024;
constexpr std::size_t block_bytes = 4 * full_record;  // that a client sends in one go

class FloodUp final : public SessionsMode {
public:
    explicit FloodUp(Run& run)
        : SessionsMode(run),
          stanzas_in_block_(std::max<std::uint64_t>(1, block_bytes / run.options.stanza)) {
        auto const& options = run.options;
        auto const block = stanzas_in_block_ * options.stanza * options.sessions;
        blocks_each_ = std::max<std::uint64_t>(1, options.bytes / block);
    }

    void work() override {
        auto const stanza = message(run_.options.stanza);
        auto const& door = clients_.front()->door();
        for (std::uint64_t i = 0; i < stanzas_in_block_; ++i) block_ += door.wrap(stanza);
        record_ = run_.options.mode == "records" ? block_.size() / stanzas_in_block_ : full_record;
        blocks_left_.assign(clients_.size(), blocks_each_);
        auto const before = run_.sink->received();
        auto const began = Clock::now();
        for (auto const& client : clients_) client->want_writable(true);
        run_.loop.run([&] { return run_.sink->received() - before >= bytes(); });
        took_ = Clock::now() - began;
    }

    void report(Report& into) override {
        into.add("bytes", bytes());
        into.add("stanzas", bytes() / run_.options.stanza);
        into.add("sessions", run_.options.sessions);
        into.add("seconds", took_.count());
    }

private:
    std::uint64_t bytes() const {
        return blocks_each_ * stanzas_in_block_ * run_.options.stanza * run_.options.sessions;
    }

    void on_writable(Client& client) override {
        auto const which = std::find_if(clients_.begin(), clients_.end(),
                                        [&](auto const& one) { return one.get() == &client; });
        auto& left = blocks_left_[static_cast<std::size_t>(which - clients_.begin())];
        if (left == 0) return client.want_writable(false);
        --left;
        client.send_records(block_, record_);
    }

    std::uint64_t stanzas_in_block_;
    std::uint64_t blocks_each_ = 0;
    std::vector<std::uint64_t> blocks_left_;
    std::string block_;
    std::size_t record_ = full_record;
    std::chrono::duration<double> took_{};
};

}  // namespace

std::unique_ptr<Mode> make_flood_up(Run& run) {
    return std::make_unique<FloodUp>(run);
}

}  // namespace stanzagate::load
