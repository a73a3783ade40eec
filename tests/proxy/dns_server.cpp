#include "tests/proxy/dns_server.hpp"

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>

namespace stanzagate::proxy::testing {
namespace {

namespace net = boost::asio;
using net::ip::tcp;
using net::ip::udp;

constexpr std::size_t header_size = 12;
constexpr std::string_view type_a_class_in("\0\x01\0\x01", 4);
constexpr std::string_view type_cname_class_in("\0\x05\0\x01", 4);
constexpr std::string_view the_name_asked_for("\xC0\x0C", 2);  // RFC 1035 section 4.1.4

std::string two_bytes(std::size_t number) {
    return {static_cast<char>(number >> 8U), static_cast<char>(number)};
}

std::string four_bytes(std::uint32_t number) {
    return two_bytes(number >> 16U) + two_bytes(number & 0xFFFFU);
}

std::string encoded(std::string_view name) {
    std::string bytes;
    while (!name.empty()) {
        auto const label = name.substr(0, name.find('.'));
        bytes += static_cast<char>(label.size());
        bytes += label;
        name.remove_prefix(std::min(name.size(), label.size() + 1));
    }
    return bytes + '\0';
}

// Its question section begins behind the header.
std::string name_in(std::string_view query) {
    std::string name;
    for (std::size_t at = header_size; at < query.size() && query[at] != '\0';) {
        auto const size = static_cast<std::size_t>(query[at]);
        name += name.empty() ? "" : ".";
        name += query.substr(at + 1, size);
        at += size + 1;
    }
    return name;
}

std::string reply_to(std::string_view query, const DnsReply& reply, bool truncated) {
    std::string records;
    std::size_t count = 0;
    auto const add = [&](std::string_view owner, std::string_view type, std::string_view data) {
        records += owner;
        records += type;
        records += four_bytes(reply.ttl) + two_bytes(data.size());
        records += data;
        ++count;
    };
    std::string owner(the_name_asked_for);
    if (!reply.alias.empty()) {
        add(owner, type_cname_class_in, encoded(reply.alias));
        owner = encoded(reply.alias);
    }
    for (auto const& address : reply.addresses)
        add(owner, type_a_class_in,
            {reinterpret_cast<const char*>(address.data()), address.size()});
    if (truncated) records.clear();
    if (reply.garbage) records = "\xC0\xFF\xC0\xFF garbage";
    auto const question_size = name_in(query).size() + 2 + 4;
    // QR, RD and perhaps TC; RA and the rcode.
    std::string flags{static_cast<char>(truncated ? 0x83 : 0x81),
                      static_cast<char>(0x80U | reply.rcode)};
    return std::string(query.substr(0, 2)) + flags + two_bytes(1) +
           two_bytes(truncated ? 0 : count) + std::string(4, '\0') +
           std::string(query.substr(header_size, question_size)) + records;
}

}  // namespace

struct DnsServer::Connection {
    tcp::socket socket;
    std::array<char, 2> size{};
    std::string query;
    std::string reply;
};

DnsServer::DnsServer(net::io_context& io)
    : udp_(io), tcp_(io, tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
    // Nobody else is likely to have the same port for UDP.
    udp_.open(udp::v4());
    udp_.set_option(udp::socket::receive_buffer_size(1 << 20));
    udp_.bind({net::ip::address_v4::loopback(), tcp_.local_endpoint().port()});
    receive();
    accept();
}

std::string DnsServer::address() const {
    return "127.0.0.1:" + std::to_string(tcp_.local_endpoint().port());
}

void DnsServer::release() {
    holding_ = false;
    for (auto const& answer : std::exchange(held_, {})) answer();
}

int DnsServer::asked(const std::string& name) const {
    auto const found = asked_.find(name);
    return found == asked_.end() ? 0 : found->second;
}

int DnsServer::asked() const {
    return std::accumulate(asked_.begin(), asked_.end(), 0,
                           [](int sum, auto const& one) { return sum + one.second; });
}

void DnsServer::receive() {
    udp_.async_receive_from(
        net::buffer(buffer_), from_, [this](const boost::system::error_code& error, auto size) {
            if (error) return;
            serve({buffer_.data(), size}, false, [this, to = from_](const std::string& reply) {
                udp_.send_to(net::buffer(reply), to);
            });
            receive();
        });
}

void DnsServer::accept() {
    tcp_.async_accept([this](const boost::system::error_code& error, tcp::socket socket) {
        if (error) return;
        read(std::make_shared<Connection>(Connection{std::move(socket), {}, {}, {}}));
        accept();
    });
}

// RFC 1035 section 4.2.2: a length of two bytes before each message.
void DnsServer::read(const std::shared_ptr<Connection>& connection) {
    auto const on_query = [this, connection](const boost::system::error_code& error, auto) {
        if (error) return;
        serve(connection->query, true, [connection](const std::string& reply) {
            connection->reply = two_bytes(reply.size()) + reply;
            net::async_write(connection->socket, net::buffer(connection->reply),
                             [connection](auto const&, auto) {});
        });
        read(connection);
    };
    net::async_read(connection->socket, net::buffer(connection->size),
                    [connection, on_query](const boost::system::error_code& error, auto) {
                        if (error) return;
                        auto const size = static_cast<unsigned char>(connection->size[0]) * 256U +
                                          static_cast<unsigned char>(connection->size[1]);
                        connection->query.resize(size);
                        net::async_read(connection->socket, net::buffer(connection->query),
                                        on_query);
                    });
}

void DnsServer::serve(const std::string& query, bool over_tcp,
                      std::function<void(const std::string&)> pass_on) {
    auto const name = name_in(query);
    ++asked_[name];
    if (over_tcp) ++over_tcp_;
    auto const found = replies_.find(name);
    DnsReply reply;
    reply.rcode = nxdomain;
    if (found != replies_.end()) reply = found->second;
    if (reply.manner == DnsReply::Manner::silent) return;
    auto const bytes =
        reply_to(query, reply, reply.manner == DnsReply::Manner::truncated && !over_tcp);
    if (reply.manner == DnsReply::Manner::held && holding_)
        held_.push_back([pass_on = std::move(pass_on), bytes] { pass_on(bytes); });
    else
        pass_on(bytes);
}

}  // namespace stanzagate::proxy::testing
