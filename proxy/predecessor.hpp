#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace stanzagate::proxy {

// The process whose place this one takes, if there is one: it has started this one
// (proxy/takeover.hpp) and serves on until it hears that all is bound here.
class Predecessor {
public:
    // What is said when this process is ready. Whoever is on the other end answers with nothing but
    // the end of the channel.
    static constexpr char ready = 'r';

    // Takes the variable out of the environment, too. Before there are threads.
    explicit Predecessor(boost::asio::io_context& background);

    bool exists() const { return channel_.is_open(); }
    // All is bound here. Calls `gone`, on the background loop, when the other has stopped accepting
    // and has told the service manager who serves now; or at once, where there is no other.
    void tell_ready(std::function<void()> gone);

private:
    void wait_for_end();

    boost::asio::posix::stream_descriptor channel_;
    std::array<char, 1> heard_{};
    std::function<void()> gone_;
};

}  // namespace stanzagate::proxy
