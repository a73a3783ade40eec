#include "proxy/admin_socket.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "proxy/error_text.hpp"
#include "proxy/socket_address.hpp"

namespace stanzagate::proxy {
namespace {

constexpr int backlog = 64;
constexpr timeval longest_wait{longest_admin_wait.count(), 0};
constexpr mode_t for_owner_and_group = 0660;

// The configuration has made sure that it fits.
sockaddr_un address_of(const std::filesystem::path& file) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto const& text = file.native();
    std::memcpy(address.sun_path, text.data(), std::min(text.size(), sizeof address.sun_path - 1));
    return address;
}

Fd new_socket(int family, int flags = 0) {
    return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

bool connect_to_file(const Fd& fd, const std::filesystem::path& file) {
    auto const address = address_of(file);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Two sockets may be bound to addresses of one port that overlap where both have this. It is taken
// back at once, for it would let any process of this user in.
void share_port(int fd, bool shared) {
    int const on = shared ? 1 : 0;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

// Nobody listens at it any more: what is there was left behind.
bool is_left_behind(const std::filesystem::path& file) {
    struct stat found{};
    if (::lstat(file.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
    auto const fd = new_socket(AF_UNIX, SOCK_NONBLOCK);
    return fd && !connect_to_file(fd, file) && errno == ECONNREFUSED;
}

}  // namespace

std::variant<AdminSocket, std::string> AdminSocket::open(const config::AdminAddress& address,
                                                         std::optional<int> leaving) {
    AdminSocket opened(address);
    auto const* const endpoint = address.endpoint();
    if (endpoint ? opened.bind_endpoint(*endpoint, leaving) : opened.bind_file(*address.socket()))
        return opened;
    return error_text(errno);
}

AdminSocket AdminSocket::adopt(InheritedSocket socket) {
    AdminSocket adopted(socket.where);
    adopted.fd_ = std::move(socket.fd);
    adopted.ours_ = socket.ours;
    if (socket.ours && adopted.address_.socket()) adopted.own_file(*adopted.address_.socket());
    return adopted;
}

bool AdminSocket::bind_endpoint(config::Endpoint endpoint, std::optional<int> leaving) {
    auto const to = to_socket_address(endpoint);
    fd_ = new_socket(to.family());
    if (!fd_) return false;
    int const on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    // [::] is IPv6 only, as for clients.
    if (to.family() == AF_INET6) ::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    auto const share = [&](bool shared) {
        if (!leaving) return;
        share_port(*leaving, shared);
        share_port(fd_.get(), shared);
    };
    share(true);
    bool const listens =
        ::bind(fd_.get(), to.get(), to.size) == 0 && ::listen(fd_.get(), backlog) == 0;
    int const why = errno;
    share(false);
    errno = why;
    if (!listens) return false;
    address_.where = local_endpoint(fd_.get());
    return true;
}

// Nobody can connect before listen(), so that nobody comes between bind() and chmod().
bool AdminSocket::bind_file(const std::filesystem::path& file) {
    fd_ = new_socket(AF_UNIX);
    if (!fd_) return false;
    if (is_left_behind(file)) ::unlink(file.c_str());
    auto const address = address_of(file);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return false;
    return own_file(file) && ::chmod(file.c_str(), for_owner_and_group) == 0 &&
           ::listen(fd_.get(), backlog) == 0;
}

bool AdminSocket::own_file(const std::filesystem::path& file) {
    struct stat made{};
    if (::lstat(file.c_str(), &made) != 0) return false;
    owns_file_ = true;
    device_ = made.st_dev;
    inode_ = made.st_ino;
    return true;
}

AdminSocket::AdminSocket(AdminSocket&& other) noexcept
    : address_(std::move(other.address_)),
      fd_(std::move(other.fd_)),
      ours_(other.ours_),
      owns_file_(std::exchange(other.owns_file_, false)),
      device_(other.device_),
      inode_(other.inode_) {}

AdminSocket& AdminSocket::operator=(AdminSocket&& other) noexcept {
    if (this == &other) return *this;
    remove_file();
    address_ = std::move(other.address_);
    fd_ = std::move(other.fd_);
    ours_ = other.ours_;
    owns_file_ = std::exchange(other.owns_file_, false);
    device_ = other.device_;
    inode_ = other.inode_;
    return *this;
}

AdminSocket::~AdminSocket() {
    remove_file();
}

void AdminSocket::remove_file() {
    if (!std::exchange(owns_file_, false)) return;
    auto const& file = *address_.socket();
    struct stat found{};
    bool const is_there = ::lstat(file.c_str(), &found) == 0;
    if (is_there && found.st_dev == device_ && found.st_ino == inode_) ::unlink(file.c_str());
}

void remove_admin_socket(InheritedSocket socket) {
    socket.fd.reset();
    auto const* const file = socket.where.socket();
    if (file && is_left_behind(*file)) ::unlink(file->c_str());
}

int AdminSocket::family() const {
    auto const* const endpoint = address_.endpoint();
    return endpoint ? to_socket_address(*endpoint).family() : AF_UNIX;
}

Fd connect_to_admin(const config::AdminAddress& address) {
    auto const* const endpoint = address.endpoint();
    auto const to = endpoint ? to_socket_address(*endpoint) : SocketAddress{};
    auto fd = new_socket(endpoint ? to.family() : AF_UNIX);
    if (!fd) return fd;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &longest_wait, sizeof longest_wait);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &longest_wait, sizeof longest_wait);
    bool const connected = endpoint ? ::connect(fd.get(), to.get(), to.size) == 0
                                    : connect_to_file(fd, *address.socket());
    return connected ? std::move(fd) : Fd();
}

}  // namespace stanzagate::proxy
