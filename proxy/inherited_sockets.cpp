#include "proxy/inherited_sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <set>
#include <utility>

#include "config/whole_number.hpp"
#include "proxy/socket_address.hpp"

namespace stanzagate::proxy {
namespace {

constexpr std::size_t most_descriptors = 65'536;

constexpr std::string_view opened_by_us = "stanzagate-opened-";
constexpr std::string_view given_to_us = "stanzagate-given-";

int option_of(const Fd& fd, int level, int name) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd.get(), level, name, &value, &size) == 0 ? value : -1;
}

bool is_listening_stream(const Fd& fd) {
    return option_of(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM &&
           option_of(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
}

// nullopt: of a family that we do not speak, or a UNIX socket without a file.
std::optional<config::AdminAddress> address_of(const Fd& fd) {
    SocketAddress address;
    if (::getsockname(fd.get(), address.get(), &address.size) != 0) return std::nullopt;
    if (address.family() == AF_INET || address.family() == AF_INET6)
        return config::AdminAddress{to_endpoint(address)};
    auto const* const file = reinterpret_cast<const sockaddr_un*>(&address.storage);
    if (address.family() != AF_UNIX || address.size <= offsetof(sockaddr_un, sun_path) ||
        file->sun_path[0] == '\0')
        return std::nullopt;
    auto const most = address.size - offsetof(sockaddr_un, sun_path);
    return config::AdminAddress{
        std::filesystem::path(std::string(file->sun_path, ::strnlen(file->sun_path, most)))};
}

// What open_listening_socket() does for those that it opens.
void prepare(const Fd& fd, const config::AdminAddress& where) {
    ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
    if (!where.endpoint()) return;
    set_no_delay(fd.get());
    set_keepalive(fd.get());
}

// [::] is IPv6 only, here and in our configuration; but not in a .socket unit by itself.
bool takes_ipv4_too(const Fd& fd, const config::AdminAddress& where) {
    auto const* const endpoint = where.endpoint();
    return endpoint && endpoint->address == *config::Address::parse("::") &&
           option_of(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
}

}  // namespace

std::string PassedSocket::name() const {
    std::string text(ours ? opened_by_us : given_to_us);
    text += use == SocketUse::admin ? "admin" : "door";
    return text;
}

PassedSocket PassedSocket::named(int fd, std::string_view name) {
    PassedSocket socket{fd};
    socket.ours = name.starts_with(opened_by_us);
    if (!socket.ours && !name.starts_with(given_to_us)) return socket;
    socket.use = name.ends_with("-admin") ? SocketUse::admin : SocketUse::door;
    return socket;
}

std::vector<PassedSocket> passed_sockets(pid_t self, const char* pid, const char* count,
                                         const char* names) {
    if (!pid || !count || config::whole_number<pid_t>(pid) != self) return {};
    auto const many = config::whole_number<std::size_t>(count);
    if (!many || *many > most_descriptors) return {};
    std::vector<PassedSocket> passed;
    std::string_view left = names ? names : "";
    for (std::size_t i = 0; i < *many; ++i) {
        auto const end = std::min(left.find(':'), left.size());
        passed.push_back(PassedSocket::named(first_passed_descriptor + static_cast<int>(i),
                                             left.substr(0, end)));
        left.remove_prefix(std::min(end + 1, left.size()));
    }
    return passed;
}

InheritedSockets::InheritedSockets(const std::vector<PassedSocket>& passed, const Log& log) {
    std::set<ino_t> seen;
    for (auto const& socket : passed) {
        InheritedSocket inherited{Fd(socket.fd), {}, socket.use, socket.ours};
        auto const& fd = inherited.fd;
        auto const refuse = [&](std::string_view reason) {
            log.warning("inherited_socket",
                        {{"descriptor", socket.fd}, {"reason", reason}, {"consequence", "closed"}});
        };
        struct stat found{};
        if (::fstat(fd.get(), &found) != 0 || !S_ISSOCK(found.st_mode) ||
            !is_listening_stream(fd)) {
            refuse("it is no listening stream socket");
            continue;
        }
        auto const where = address_of(fd);
        if (!where) {
            refuse("it is neither at an address nor at a file");
            continue;
        }
        if (!seen.insert(found.st_ino).second) continue;
        inherited.where = *where;
        prepare(fd, *where);
        if (takes_ipv4_too(fd, *where))
            log.warning("inherited_socket",
                        {{"address", where->to_string()},
                         {"reason",
                          "it takes IPv4 clients, too: in a .socket unit, say "
                          "BindIPv6Only=ipv6-only and have a line for each family"}});
        sockets_.push_back(std::move(inherited));
    }
}

InheritedSockets InheritedSockets::from_environment(const Log& log) {
    auto const passed = passed_sockets(::getpid(), std::getenv("LISTEN_PID"),
                                       std::getenv("LISTEN_FDS"), std::getenv("LISTEN_FDNAMES"));
    for (auto const* const name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
    return {passed, log};
}

std::vector<InheritedSocket> InheritedSockets::take(config::Endpoint endpoint) {
    if (endpoint.port == 0) {
        auto const first = std::find_if(sockets_.begin(), sockets_.end(), [&](auto const& socket) {
            auto const* const at = socket.where.endpoint();
            return at && at->address == endpoint.address && socket.use != SocketUse::admin;
        });
        if (first == sockets_.end()) return {};
        endpoint = *first->where.endpoint();
    }
    std::vector<InheritedSocket> taken;
    std::vector<InheritedSocket> left;
    for (auto& socket : sockets_) {
        auto const* const at = socket.where.endpoint();
        (at && *at == endpoint ? taken : left).push_back(std::move(socket));
    }
    sockets_ = std::move(left);
    return taken;
}

std::optional<InheritedSocket> InheritedSockets::take_admin(const config::AdminAddress& address) {
    auto const* const wanted = address.endpoint();
    auto const found = std::find_if(sockets_.begin(), sockets_.end(), [&](auto const& socket) {
        if (socket.where == address) return true;
        auto const* const at = socket.where.endpoint();
        return wanted && wanted->port == 0 && at && at->address == wanted->address &&
               socket.use == SocketUse::admin;
    });
    if (found == sockets_.end()) return std::nullopt;
    auto taken = std::move(*found);
    sockets_.erase(found);
    return taken;
}

std::optional<InheritedSocket> InheritedSockets::take_left_admin() {
    auto const found = std::find_if(sockets_.begin(), sockets_.end(), [](auto const& socket) {
        return socket.ours && socket.use == SocketUse::admin && socket.where.socket();
    });
    if (found == sockets_.end()) return std::nullopt;
    auto taken = std::move(*found);
    sockets_.erase(found);
    return taken;
}

void InheritedSockets::close_rest(const Log& log) {
    for (auto const& socket : sockets_)
        log.warning("inherited_socket", {{"address", socket.where.to_string()},
                                         {"reason", "no address of the configuration names it"},
                                         {"consequence", "closed"}});
    sockets_.clear();
}

}  // namespace stanzagate::proxy
