#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "bench/load/mode.hpp"

namespace stanzagate::load {

// A mode that works on sessions which are set up first, all the way to the bind result.
class SessionsMode : public Mode, public ClientOwner {
public:
    explicit SessionsMode(Run& run) : run_(run) {}
    void prepare() override { set_up(run_.options.sessions); }

protected:
    // Until there are so many.
    void set_up(std::size_t sessions);
    void on_open(Client& client) override;
    void on_played(Client& client) override;
    void on_closed(Client& client) override;

    Run& run_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::size_t closed_ = 0;

private:
    void connect_one();

    std::size_t wanted_ = 0;
    std::size_t bound_ = 0;
};

}  // namespace stanzagate::load
