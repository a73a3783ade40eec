#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/address.hpp"
#include "proxy/dns_lists.hpp"
#include "proxy/event_loop.hpp"

namespace stanzagate::proxy {

// Asks DNS lists for the sessions of all workers, which share what is known: the questions go to
// the background loop, and the answers come back to the loop that asked.
class ListLookups {
public:
    using Answers = std::vector<std::pair<std::string, bool>>;  // zone, listed
    using Done = std::function<void(const Answers&)>;

    // Throws std::runtime_error where the servers make no sense.
    ListLookups(boost::asio::io_context& background, const Log& log, DnsListSettings settings = {});
    ListLookups(const ListLookups&) = delete;
    ListLookups& operator=(const ListLookups&) = delete;

    // From the thread of `loop`, which must outlive the background loop. `done` is called there,
    // once and never from within, when all lists have answered or their time is up; whether
    // somebody still waits is for it to know.
    void ask(EventLoop& loop, std::vector<std::string> zones, const config::Address& address,
             Done done);
    // Questions that got no usable answer. On the background loop.
    std::uint64_t failures() const { return lists_.failures(); }

private:
    void begin(EventLoop& loop, std::vector<std::string> zones, const config::Address& address,
               Done done);

    boost::asio::io_context& background_;
    DnsLists lists_;
    std::map<std::uint64_t, DnsLists::Query> waiting_;
    std::uint64_t last_ = 0;
};

}  // namespace stanzagate::proxy
