#include "bench/load/door.hpp"

#include <array>
#include <stdexcept>
#include <utility>

#include "bench/load/client.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {
namespace {

std::unique_ptr<Door> make_direct_door() {
    return std::make_unique<Door>();
}

using Maker = std::unique_ptr<Door> (*)();
constexpr std::array<std::pair<std::string_view, Maker>, 5> doors{{
    {"plain", make_plain_door},
    {"direct", make_direct_door},
    {"starttls", make_starttls_door},
    {"websocket", make_websocket_door},
    {"bosh", make_bosh_door},
}};

}  // namespace

void Door::on_connected(Client& client) {
    client.start_tls();
}

void Door::on_secured(Client& client) {
    client.opened();
}

void Door::on_bytes(Client& /*client*/, std::string_view bytes) {
    throw std::runtime_error("the proxy speaks first: " + std::string(bytes.substr(0, 80)));
}

void Door::on_received(Client& client, std::string_view bytes) {
    client.arrived(bytes);
}

void Door::send(Client& client, std::string_view element) {
    auto const wrapped = wrap(element);
    client.send_records(wrapped, wrapped.size());
}

std::string Door::header(std::string_view host) const {
    return stream_header(host);
}

std::unique_ptr<Door> make_door(std::string_view name) {
    for (auto const& [known, make] : doors)
        if (name == known) return make();
    throw std::invalid_argument("there is no door \"" + std::string(name) + '"');
}

}  // namespace stanzagate::load
