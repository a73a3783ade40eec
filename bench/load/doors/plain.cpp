// No TLS at all: the sink without a proxy, or a proxy behind a balancer.
#include "bench/load/client.hpp"
#include "bench/load/door.hpp"

namespace stanzagate::load {
namespace {

class PlainDoor final : public Door {
public:
    void on_connected(Client& client) override { client.opened(); }
};

}  // namespace

std::unique_ptr<Door> make_plain_door() {
    return std::make_unique<PlainDoor>();
}

}  // namespace stanzagate::load
