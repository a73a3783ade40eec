#include "proxy/predecessor.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/buffer.hpp>
#include <cstdlib>
#include <utility>

#include "config/whole_number.hpp"
#include "proxy/successor.hpp"

namespace stanzagate::proxy {
namespace {

// -1 where nobody has passed one.
int passed_channel() {
    auto const* const text = std::getenv(channel_variable);
    auto const fd = config::whole_number<int>(text ? text : "").value_or(-1);
    ::unsetenv(channel_variable);
    struct stat found{};
    if (fd < 0 || ::fstat(fd, &found) != 0 || !S_ISSOCK(found.st_mode)) return -1;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

}  // namespace

Predecessor::Predecessor(boost::asio::io_context& background) : channel_(background) {
    if (auto const fd = passed_channel(); fd >= 0) channel_.assign(fd);
}

void Predecessor::tell_ready(std::function<void()> gone) {
    if (!exists()) return gone();
    gone_ = std::move(gone);
    // Where the other is gone already there is nobody to tell; that is what comes next.
    ::send(channel_.native_handle(), &ready, sizeof ready, MSG_NOSIGNAL);
    wait_for_end();
}

void Predecessor::wait_for_end() {
    channel_.async_read_some(boost::asio::buffer(heard_),
                             [this](const boost::system::error_code& error, std::size_t) {
                                 if (error == boost::asio::error::operation_aborted) return;
                                 if (!error) return wait_for_end();
                                 channel_.close();
                                 gone_();
                             });
}

}  // namespace stanzagate::proxy
