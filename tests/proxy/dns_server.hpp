#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/address.hpp"

namespace stanzagate::proxy::testing {

// What a DNS server says to one name.
struct DnsReply {
    enum class Manner { answer, silent, held, truncated };

    std::vector<config::Address::V4> addresses{};  // none, and no rcode: NODATA
    std::uint32_t ttl = 600;
    unsigned rcode = 0;   // 2: SERVFAIL, 3: NXDOMAIN, 5: REFUSED
    std::string alias{};  // the addresses are behind this CNAME
    Manner manner = Manner::answer;
    bool garbage = false;  // in place of the records
};

constexpr unsigned servfail = 2;
constexpr unsigned nxdomain = 3;
constexpr unsigned refused = 5;

// A DNS server on loopback, UDP and TCP on one port, on the event loop of the test. Names that it
// does not have are NXDOMAIN.
class DnsServer {
public:
    explicit DnsServer(boost::asio::io_context& io);

    // "127.0.0.1:PORT"
    std::string address() const;
    DnsReply& operator[](const std::string& name) { return replies_[name]; }
    // What was held is answered now, and nothing is held from now on.
    void release();

    // How often the name came, over UDP or TCP; and all names together.
    int asked(const std::string& name) const;
    int asked() const;
    int asked_over_tcp() const { return over_tcp_; }

private:
    struct Connection;

    void receive();
    void accept();
    void read(const std::shared_ptr<Connection>& connection);
    // Passes the answer on, now or later or never.
    void serve(const std::string& query, bool over_tcp,
               std::function<void(const std::string&)> pass_on);

    boost::asio::ip::udp::socket udp_;
    boost::asio::ip::tcp::acceptor tcp_;
    boost::asio::ip::udp::endpoint from_;
    std::array<char, 512> buffer_{};
    std::map<std::string, DnsReply> replies_;
    std::map<std::string, int> asked_;
    std::vector<std::function<void()>> held_;
    int over_tcp_ = 0;
    bool holding_ = true;
};

}  // namespace stanzagate::proxy::testing
