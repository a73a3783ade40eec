// RFC 6120 section 5: a stream in the clear up to <proceed/>, then TLS.
#include <string>

#include "bench/load/client.hpp"
#include "bench/load/door.hpp"
#include "bench/load/xmpp.hpp"

namespace stanzagate::load {
namespace {

class StarttlsDoor final : public Door {
public:
    void on_connected(Client& client) override { client.send_raw(stream_header(client.host())); }

    void on_bytes(Client& client, std::string_view bytes) override {
        received_ += bytes;
        auto const awaited = asked_ ? std::string_view("<proceed") : features_end;
        if (end_of(received_, awaited) == std::string_view::npos) return;
        received_.clear();
        if (asked_) return client.start_tls();
        asked_ = true;
        client.send_raw("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
    }

private:
    std::string received_;
    bool asked_ = false;
};

}  // namespace

std::unique_ptr<Door> make_starttls_door() {
    return std::make_unique<StarttlsDoor>();
}

}  // namespace stanzagate::load
