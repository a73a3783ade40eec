#include "proxy/doors.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <variant>

#include "proxy/error_text.hpp"
#include "proxy/listener.hpp"
#include "proxy/socket_address.hpp"

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

struct ListenAddress {
    std::string key;
    const config::Listen& listen;
    const config::Endpoint& endpoint;
};

std::vector<ListenAddress> addresses_of(const config::Config& config) {
    std::vector<ListenAddress> addresses;
    std::map<std::string, int> seen;  // port 0 may be asked for more than once at one address
    for (auto const& listen : config.listen) {
        for (auto const& endpoint : listen.addresses) {
            auto key = endpoint.to_string();
            key += '#' + std::to_string(++seen[key]);
            addresses.push_back({std::move(key), listen, endpoint});
        }
    }
    return addresses;
}

struct Socket {
    Fd fd;
    bool ours = true;
};

// The sockets of one address, worker by worker; or why there are none.
struct Opened {
    std::vector<std::vector<Socket>> sockets;
    std::string error;
};

// What to do about an address that is taken: by another process when this one comes first, and
// most likely by our own 0.0.0.0, or by what it is to be replaced with, when it does not.
constexpr std::string_view if_first =
    "; if a stanzagate is running there, send it SIGUSR2: it then starts its successor";
constexpr std::string_view if_not_first =
    "; if it is this gate that listens there, at an address that overlaps with this one, stop it "
    "and start it again";

Opened bind_for_all(config::Endpoint& endpoint, std::size_t workers, std::string_view advice) {
    if (auto const why = why_not_free(endpoint, advice)) return {{}, *why};
    Opened opened;
    for (std::size_t i = 0; i < workers; ++i) {
        auto socket = bind_listening_socket(endpoint);
        if (auto const* const why = std::get_if<std::string>(&socket)) return {{}, *why};
        opened.sockets.emplace_back().push_back({std::get<Fd>(std::move(socket))});
    }
    return opened;
}

// Every socket gets a worker, or who waits in its queue would wait for ever, and every worker gets
// a socket. One that we open beside theirs ends with this process, and so do the connections that
// wait in it: so there is none where the others are a service manager's, which live on.
Opened spread(std::vector<InheritedSocket> inherited, config::Endpoint& endpoint,
              std::size_t workers) {
    endpoint = *inherited.front().where.endpoint();
    bool const all_ours = std::all_of(inherited.begin(), inherited.end(),
                                      [](auto const& socket) { return socket.ours; });
    auto const count = inherited.size();
    Opened opened;
    opened.sockets.resize(workers);
    for (std::size_t i = 0; i < count; ++i)
        opened.sockets[i % workers].push_back({std::move(inherited[i].fd), inherited[i].ours});
    for (auto i = count; i < workers; ++i) {
        if (all_ours) {
            auto more = bind_listening_socket(endpoint);
            if (auto* const fd = std::get_if<Fd>(&more)) {
                opened.sockets[i].push_back({std::move(*fd)});
                continue;
            }
        }
        auto const& shared = opened.sockets[i % count].front();
        Fd copy(::fcntl(shared.fd.get(), F_DUPFD_CLOEXEC, 0));
        if (!copy) return {{}, error_text(errno)};
        opened.sockets[i].push_back({std::move(copy), shared.ours});
    }
    return opened;
}

bool listens(const Fd& socket) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value != 0;
}

}  // namespace

// Who names a port comes first: any port is what is left.
Doors::Claims Doors::claim(const config::Config& config, const Log& log) {
    Claims claims;
    for (bool const any_port : {false, true})
        for (auto const& address : addresses_of(config))
            if ((address.endpoint.port == 0) == any_port)
                if (auto sockets = inherited_.take(address.endpoint); !sockets.empty())
                    claims[address.key] = std::move(sockets);
    inherited_.close_rest(log);
    return claims;
}

std::optional<std::vector<std::vector<Door>>> Doors::open(const config::Config& config,
                                                          std::size_t workers, const Log& log) {
    auto const advice = keys_.empty() && inherited_.empty() ? if_first : if_not_first;
    auto claims = claim(config, log);
    bound_.clear();
    std::map<const config::Listen*, std::shared_ptr<const config::Listen>> shared;
    std::vector<std::vector<Door>> doors(workers);
    for (auto const& [key, listen, configured] : addresses_of(config)) {
        auto& its = shared[&listen];
        if (!its) its = std::make_shared<const config::Listen>(listen);
        if (keys_.contains(key)) {
            for (auto& worker : doors) worker.push_back({key, its, Fd()});
            continue;
        }
        auto endpoint = configured;
        auto const claimed = claims.find(key);
        auto const inherited = claimed == claims.end() ? 0 : claimed->second.size();
        auto opened = inherited == 0 ? bind_for_all(endpoint, workers, advice)
                                     : spread(std::move(claimed->second), endpoint, workers);
        if (!opened.error.empty()) {
            log.error("cannot_listen",
                      {{"address", endpoint.to_string()}, {"reason", opened.error}});
            return std::nullopt;
        }
        for (std::size_t i = 0; i < workers; ++i)
            for (auto& socket : opened.sockets[i])
                doors[i].push_back({key, its, std::move(socket.fd), socket.ours});
        bound_.push_back({endpoint.to_string(), listen.tls, listen.served.to_string(), inherited});
    }
    return doors;
}

bool Doors::listen(const std::vector<std::vector<Door>>& doors, const Log& log) {
    for (auto const& worker : doors) {
        for (auto const& door : worker) {
            if (!door.socket || listens(door.socket) || start_listening(door.socket)) continue;
            log.error("cannot_listen", {{"address", local_endpoint(door.socket.get()).to_string()},
                                        {"reason", error_text(errno)}});
            return false;
        }
    }
    keys_.clear();
    for (auto const& door : doors.front()) keys_.insert(door.key);
    for (auto const& bound : std::exchange(bound_, {}))
        log.info("listening",
                 {{"address", bound.address},
                  {"tls", to_string(bound.tls)},
                  {"serve", bound.serve},
                  {"inherited", bound.inherited == 0 ? "" : std::to_string(bound.inherited)}});
    return true;
}

}  // namespace stanzagate::proxy
