#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <list>

#include "proxy/dns_channel.hpp"
#include "proxy/file_stamp.hpp"
#include "proxy/log.hpp"

namespace stanzagate::proxy {

// The channel to ask. c-ares reads resolv.conf once for each; so there is a new one as soon as the
// file has changed, which is looked at for every question, as glibc does. Those before it stay
// until what they were asked has been answered.
class DnsChannels {
public:
    // Throws std::runtime_error where c-ares cannot be set up.
    DnsChannels(boost::asio::io_context& io, const Log& log, std::chrono::milliseconds limit,
                DnsServers servers);
    DnsChannels(const DnsChannels&) = delete;
    DnsChannels& operator=(const DnsChannels&) = delete;

    DnsChannel& current();
    // As of a channel; not from within its callbacks.
    void tick();

private:
    void renew(const FileStamp& stamp);

    boost::asio::io_context& io_;
    const Log& log_;
    std::chrono::milliseconds limit_;
    DnsServers servers_;
    FileStamp read_;                  // of resolv.conf, before it was read
    std::list<DnsChannel> channels_;  // the current one last
};

}  // namespace stanzagate::proxy
