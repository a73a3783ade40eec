// [server] and [limits]: numbers within bounds.
#include <chrono>

#include "config/readers.hpp"

namespace stanzagate::config {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kib = 1024;
constexpr std::size_t mib = 1024 * kib;
// RFC 6120, section 13.12: a server must not set the limit on stanzas below this.
constexpr std::size_t least_by_rfc = 10'000;

LogSettings read_log(Section section) {
    LogSettings log;
    section.choice("level", log.level,
                   {{"debug", LogLevel::debug},
                    {"info", LogLevel::info},
                    {"warn", LogLevel::warning},
                    {"warning", LogLevel::warning},
                    {"error", LogLevel::error}});
    section.choice("format", log.format, {{"text", LogFormat::text}, {"json", LogFormat::json}});
    section.finish();
    return log;
}

}  // namespace

Server read_server(Section section) {
    Server server;
    section.count("workers", server.workers, {0, 1024});
    section.duration("drain", server.drain, {0s, 1h});
    if (auto log = section.table("log")) server.log = read_log(std::move(*log));
    section.unsupported("admin");
    section.unsupported("admin_public");
    if (section.has("geoip")) {
        section.path("geoip", server.geoip.emplace());
        server.geoip_where = section.where("geoip");
    }
    section.finish();
    return server;
}

Limits read_limits(Section section) {
    constexpr std::size_t most_connections = 100'000'000;
    Limits limits;
    section.count("connections", limits.connections, {1, most_connections});
    section.count("connections_per_address", limits.connections_per_address, {1, most_connections});
    section.rate("connect_rate", limits.connect_rate);
    section.duration("handshake_timeout", limits.handshake_timeout, {1s, 1h});
    section.duration("negotiation_timeout", limits.negotiation_timeout, {1s, 1h});
    section.size("stanza_size", limits.stanza_size, {kib, mib});
    section.count("stanza_depth", limits.stanza_depth, {2, 1000});
    section.count("attributes", limits.attributes, {4, 1000});
    if (limits.stanza_size < least_by_rfc)
        section.warning("stanza_size", section.where("stanza_size"),
                        "below 10000 bytes, the least that RFC 6120, section 13.12, allows; "
                        "clients may fail to log in");
    section.finish();
    return limits;
}

}  // namespace stanzagate::config
