#include "proxy/dns_channels.hpp"

#include <stdexcept>
#include <utility>

namespace stanzagate::proxy {

DnsChannels::DnsChannels(boost::asio::io_context& io, const Log& log,
                         std::chrono::milliseconds limit, DnsServers servers)
    : io_(io),
      log_(log),
      limit_(limit),
      servers_(std::move(servers)),
      read_(FileStamp::of(servers_.resolv_conf)) {
    channels_.emplace_back(io_, limit_, servers_);
}

DnsChannel& DnsChannels::current() {
    if (servers_.list.empty()) {
        auto const stamp = FileStamp::of(servers_.resolv_conf);
        // One that is gone comes back, or so it is hoped.
        if (stamp != FileStamp{} && stamp != read_) renew(stamp);
    }
    return channels_.back();
}

// Where it fails, the next question tries again.
void DnsChannels::renew(const FileStamp& stamp) {
    auto const file = Field::in_full("file", servers_.resolv_conf.string());
    try {
        channels_.emplace_back(io_, limit_, servers_);
        read_ = stamp;
        log_.info("dns_servers_reloaded", {file});
    } catch (const std::runtime_error& error) {
        log_.write_first(config::LogLevel::warning, "dns_servers_kept",
                         {file, {"reason", error.what()}});
    }
}

void DnsChannels::tick() {
    for (auto& channel : channels_) channel.tick();
    channels_.remove_if([this](const DnsChannel& channel) {
        return &channel != &channels_.back() && channel.is_idle();
    });
}

}  // namespace stanzagate::proxy
