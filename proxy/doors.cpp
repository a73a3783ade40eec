#include "proxy/doors.hpp"

#include <map>
#include <utility>
#include <variant>

#include "proxy/listener.hpp"

namespace stanzagate::proxy {
namespace {

std::string_view to_string(config::TlsMode mode) {
    switch (mode) {
        case config::TlsMode::starttls:
            return "starttls";
        case config::TlsMode::direct:
            return "direct";
        case config::TlsMode::none:
            return "none";
    }
    return "none";
}

// The sockets of one address, one for each worker; empty, with the reason logged, where it cannot
// be bound.
std::vector<Fd> bind_for_all(config::Endpoint endpoint, const config::Listen& listen,
                             std::size_t workers, const Log& log) {
    auto const failed = [&](const std::string& why) {
        log.error("cannot_listen", {{"address", endpoint.to_string()}, {"reason", why}});
        return std::vector<Fd>();
    };
    if (auto const why = why_not_free(endpoint)) return failed(*why);
    std::vector<Fd> sockets;
    for (std::size_t i = 0; i < workers; ++i) {
        auto opened = open_listening_socket(endpoint);
        if (auto const* const why = std::get_if<std::string>(&opened)) return failed(*why);
        sockets.push_back(std::get<Fd>(std::move(opened)));
    }
    log.info("listening", {{"address", endpoint.to_string()},
                           {"tls", to_string(listen.tls)},
                           {"serve", listen.served.to_string()}});
    return sockets;
}

}  // namespace

std::optional<std::vector<std::vector<Door>>> Doors::open(const config::Config& config,
                                                          std::size_t workers,
                                                          const Log& log) const {
    std::vector<std::vector<Door>> doors(workers);
    std::map<std::string, int> seen;  // port 0 may be asked for more than once at one address
    for (auto const& listen : config.listen) {
        auto const shared = std::make_shared<const config::Listen>(listen);
        for (auto const& endpoint : listen.addresses) {
            auto key = endpoint.to_string();
            key += '#' + std::to_string(++seen[key]);
            std::vector<Fd> sockets(workers);
            if (!keys_.contains(key)) {
                sockets = bind_for_all(endpoint, listen, workers, log);
                if (sockets.empty()) return std::nullopt;
            }
            for (std::size_t i = 0; i < workers; ++i)
                doors[i].push_back({key, shared, std::move(sockets[i])});
        }
    }
    return doors;
}

void Doors::opened(const std::vector<Door>& doors) {
    keys_.clear();
    for (auto const& door : doors) keys_.insert(door.key);
}

}  // namespace stanzagate::proxy
