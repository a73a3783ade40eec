// [server] and [limits]: numbers within bounds.
#include <chrono>

#include "config/readers.hpp"
#include "config/units.hpp"

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

std::optional<AdminAddress> admin_address(Section& section, const std::string& written) {
    constexpr std::string_view unix_scheme = "unix:";
    if (!written.starts_with(unix_scheme)) {
        if (const auto endpoint = Endpoint::parse(written)) return AdminAddress{*endpoint};
        section.error("admin",
                      in_quotes(written) +
                          " is not an address with a port (\"127.0.0.1:9090\", \"[::1]:9090\") "
                          "or the path of a UNIX socket (\"unix:/run/stanzagate/admin.sock\")");
        return std::nullopt;
    }
    const std::string path = written.substr(unix_scheme.size());
    if (path.empty() || path.ends_with('/') || path.find('\0') != std::string::npos) {
        section.error("admin", in_quotes(written) + " names no file after \"unix:\"");
        return std::nullopt;
    }
    AdminAddress address{section.reading().folder / path};
    if (address.socket()->string().size() > AdminAddress::most_path_bytes) {
        section.error("admin", in_quotes(written) +
                                   " is too long for a UNIX socket: the path may " +
                                   "have up to 107 bytes, with the folder it is relative to");
        return std::nullopt;
    }
    return address;
}

// Who can read the page learns who registers, from where, and what fails.
void read_admin(Section& section, Server& server) {
    std::string written;
    section.boolean("admin_public", server.admin_public);
    section.choice("status_addresses", server.status_addresses,
                   {{"network", StatusAddresses::network}, {"full", StatusAddresses::full}});
    if (!section.string("admin", written)) return;
    server.admin = admin_address(section, written);
    if (!server.admin || server.admin->is_local()) return;
    if (!server.admin_public)
        section.error("admin", in_quotes(written) +
                                   " can be reached from other machines, and nobody is asked who "
                                   "he is: use a loopback address or a UNIX socket, or say "
                                   "admin_public = true");
    else
        section.warning(
            "admin", section.where("admin"),
            "whoever can reach " + in_quotes(written) + " sees the metrics and the status page");
}

}  // namespace

Server read_server(Section section) {
    Server server;
    section.count("workers", server.workers, {0, 1024});
    section.duration("drain", server.drain, {0s, 24h});
    if (auto log = section.table("log")) server.log = read_log(std::move(*log));
    read_admin(section, server);
    if (section.has("geoip")) {
        section.path("geoip", server.geoip.emplace());
        server.geoip_where = section.where("geoip");
    }
    if (section.has("ticket_keys")) {
        section.path("ticket_keys", server.ticket_keys.emplace());
        server.ticket_keys_where = section.where("ticket_keys");
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
    section.duration("handshake_timeout", limits.handshake_timeout, {100ms, 24h});
    section.duration("negotiation_timeout", limits.negotiation_timeout, {100ms, 24h});
    section.size("stanza_size", limits.stanza_size, {kib, mib});
    section.count("stanza_depth", limits.stanza_depth, {2, 1000});
    section.count("attributes", limits.attributes, {4, 1000});
    section.size("negotiation_bytes", limits.negotiation_bytes, {64 * kib, 1024 * mib});
    section.count("negotiation_requests", limits.negotiation_requests, {1, 1'000'000});
    if (limits.stanza_size < least_by_rfc)
        section.warning("stanza_size", section.where("stanza_size"),
                        "below 10000 bytes, the least that RFC 6120, section 13.12, allows; "
                        "clients may fail to log in");
    if (limits.negotiation_bytes < limits.stanza_size)
        section.warning("negotiation_bytes", section.where("negotiation_bytes"),
                        "below stanza_size (" + size_text(limits.stanza_size) +
                            "): a stanza of that size could never pass");
    section.finish();
    return limits;
}

}  // namespace stanzagate::config
