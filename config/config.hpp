#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"
#include "config/admin_address.hpp"
#include "config/diagnostics.hpp"
#include "config/host_index.hpp"
#include "config/host_pattern.hpp"
#include "config/registration.hpp"
#include "config/rules.hpp"

// What an operator can say, as plain values with the documented defaults. Filled by load().
namespace stanzagate::config {

using Milliseconds = std::chrono::milliseconds;

enum class LogLevel { debug, info, warning, error };
enum class LogFormat { text, json };

struct LogSettings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;

    bool operator==(const LogSettings&) const = default;
};

// How much of a client's address the status page shows: its network (/24, /48), or all of it.
enum class StatusAddresses { network, full };

struct Server {
    unsigned workers = 0;                 // 0 = one per core
    std::optional<AdminAddress> admin{};  // absent: none
    bool admin_public = false;            // other machines may reach it, by any name
    StatusAddresses status_addresses = StatusAddresses::network;
    Milliseconds drain{30'000};
    LogSettings log;
    std::optional<std::filesystem::path> geoip{};  // a MaxMind database; absent: no countries
    Position geoip_where{};
    // Absent: they are made in memory.
    std::optional<std::filesystem::path> ticket_keys{};
    Position ticket_keys_where{};

    bool operator==(const Server&) const = default;
};

struct Limits {
    std::size_t connections = 100'000;
    std::size_t connections_per_address = 100;
    // New connections per second and address. The burst is 2 s worth, but never less than one: a
    // rate such as "10/m" is less than one connection in 2 s.
    double connect_rate = 20.0;
    Milliseconds handshake_timeout{10'000};
    Milliseconds negotiation_timeout{60'000};
    std::size_t stanza_size = std::size_t{16} * 1024;  // bytes
    unsigned stanza_depth = 16;
    unsigned attributes = 32;
    std::size_t negotiation_bytes = std::size_t{16} * 1024 * 1024;  // of a client, in all
    unsigned negotiation_requests = 10'000;                         // registration requests

    bool operator==(const Limits&) const = default;
};

enum class TlsMode { starttls, direct, none };

// What is spoken at a listener; at least one of these.
struct Served {
    bool xmpp = true;
    bool websocket = false;  // RFC 7395
    bool bosh = false;       // XEP-0124

    // Whether any of it comes over HTTP.
    bool http() const { return websocket || bosh; }
    std::string to_string() const;  // "xmpp,websocket"
    bool operator==(const Served&) const = default;
};

struct Listen {
    std::vector<Endpoint> addresses;
    TlsMode tls = TlsMode::starttls;
    Served served;  // under starttls, xmpp alone
    std::vector<Network> proxy_protocol_from;
    std::vector<Network> forwarded_from;  // peers whose X-Forwarded-For and Forwarded are believed
    Position where;                       // of the value of `address`

    // Whether clients of this kind come through it. Behind a balancer that ended TLS (`none`), a
    // client of XMPP counts as one of direct TLS.
    bool brings(Transport transport) const;
    bool operator==(const Listen&) const = default;
};

// The doors of HTTP, at every listener that serves one.
struct Http {
    // Paths as they stand in a request: absolute, no query, percent-encoded where they need it.
    std::string websocket_path = "/xmpp-websocket";
    std::string bosh_path = "/http-bind";
    bool host_meta = true;                        // XEP-0156
    std::vector<std::string> allow_origins{"*"};  // for origin_allowed(); empty: no web page
    Position where;                               // of the table

    bool operator==(const Http&) const = default;
};

enum class UpstreamScheme { tcp, starttls, tls };

struct UpstreamAddress {
    UpstreamScheme scheme = UpstreamScheme::tcp;
    std::string host;  // a name or an address literal, without brackets
    std::uint16_t port = 0;

    std::string to_string() const;  // "tls://10.0.0.5:5223"
    bool operator==(const UpstreamAddress&) const = default;
};

enum class ProxyHeader { none, v1, v2 };

struct Upstream {
    std::vector<UpstreamAddress> addresses;  // tried in turn
    ProxyHeader proxy_protocol = ProxyHeader::none;
    Milliseconds connect_timeout{5'000};
    std::optional<std::filesystem::path> ca;  // absent: the system's
    bool verify = true;
    std::string name;  // certificate name and SNI; empty: the stream's host
    Position where;    // of the value of `upstream`, or its table
    Position ca_where;

    bool operator==(const Upstream&) const = default;
};

// Where a certificate chain and its private key are. Paths are absolute, or relative to the working
// directory.
struct HostCertificate {
    std::filesystem::path certificate;
    std::filesystem::path key;  // empty: `certificate` is a folder, in which both are looked for
    Position certificate_where;
    Position key_where;
    std::filesystem::path ocsp{};  // where its OCSP response is looked for; empty: beside it

    bool is_folder() const { return key.empty(); }
    bool operator==(const HostCertificate&) const = default;
};

struct Host {
    HostPattern name;
    // One for each kind of key, or one folder. Empty where self-signed, or where no listener ends
    // TLS.
    std::vector<HostCertificate> certificates;
    bool self_signed = false;
    Upstream upstream;
    Registration registration;
    Position where;  // of the value of `name`

    bool operator==(const Host&) const = default;
};

struct Config {
    std::filesystem::path file;
    Server server;
    Limits limits;
    std::vector<Listen> listen;
    Http http;
    std::vector<Host> hosts;
    // [registration] alone: decides for names that no host has. May have neither text nor url nor
    // admins where every host says these for itself: it is then answered with its refusal, to a
    // `get` and to a `set`. Every host's own registration can make an answer.
    // `rules` is empty: they do not decide for such names.
    Registration registration;
    // Of all rule files. Which of them decide for a host, and in what order, its registration says.
    std::vector<Rule> rules;
    std::vector<NamedList> lists;

    // The host for a stream's `to`: an exact name before wildcards, the longest wildcard before
    // "*". nullptr where none matches. The pointer lives as long as this Config.
    const Host* find_host(std::string_view name) const;
    // To be called once `hosts` is complete, and before find_host(). load() does.
    void index_hosts();

    bool operator==(const Config&) const = default;

private:
    HostIndex host_index_;
};

}  // namespace stanzagate::config
