#include "config/key_places.hpp"

#include <algorithm>
#include <array>

namespace stanzagate::config {
namespace {

constexpr auto keys_of_document =
    std::to_array<std::string_view>({"server", "limits", "listen", "host", "http", "registration"});
constexpr auto keys_of_server =
    std::to_array<std::string_view>({"workers", "admin", "admin_public", "status_addresses",
                                     "drain", "log", "geoip", "ticket_keys"});
constexpr auto keys_of_log = std::to_array<std::string_view>({"level", "format"});
constexpr auto keys_of_limits = std::to_array<std::string_view>(
    {"connections", "connections_per_address", "connect_rate", "handshake_timeout",
     "negotiation_timeout", "stanza_size", "stanza_depth", "attributes", "negotiation_bytes",
     "negotiation_requests"});
constexpr auto keys_of_listen = std::to_array<std::string_view>(
    {"address", "tls", "serve", "proxy_protocol_from", "forwarded_from"});
constexpr auto keys_of_http =
    std::to_array<std::string_view>({"websocket_path", "bosh_path", "host_meta", "allow_origins"});
constexpr auto keys_of_host = std::to_array<std::string_view>(
    {"name", "certificate", "key", "self_signed", "upstream", "registration"});
constexpr auto keys_of_upstream = std::to_array<std::string_view>(
    {"address", "proxy_protocol", "connect_timeout", "ca", "verify", "name"});
constexpr auto keys_of_registration = std::to_array<std::string_view>(
    {"whitelist", "url", "text", "oob", "admins", "refusal", "advertise", "rules"});
constexpr auto keys_of_rule_file = std::to_array<std::string_view>({"lists", "rule"});
constexpr auto keys_of_rule = std::to_array<std::string_view>(
    {"name", "host", "from", "not_from", "country", "transport", "dnsbl", "invited", "during",
     "quota", "action", "delay", "url", "text", "oob", "refusal"});
constexpr auto keys_of_quota = std::to_array<std::string_view>({"count", "per", "by"});

constexpr std::array all_places{
    KeyPlace{ConfigFile::main, "", "at the top of the file", keys_of_document},
    KeyPlace{ConfigFile::main, "server", "in [server]", keys_of_server},
    KeyPlace{ConfigFile::main, "server.log", "in [server.log]", keys_of_log},
    KeyPlace{ConfigFile::main, "limits", "in [limits]", keys_of_limits},
    KeyPlace{ConfigFile::main, "listen", "in [[listen]]", keys_of_listen},
    KeyPlace{ConfigFile::main, "http", "in [http]", keys_of_http},
    KeyPlace{ConfigFile::main, "host", "in [[host]]", keys_of_host},
    KeyPlace{ConfigFile::main, "host.upstream", "in [host.upstream]", keys_of_upstream},
    KeyPlace{ConfigFile::main, "registration", "in [registration]", keys_of_registration},
    KeyPlace{ConfigFile::main, "host.registration", "in [host.registration]", keys_of_registration},
    KeyPlace{ConfigFile::rules, "", "at the top of the file", keys_of_rule_file},
    KeyPlace{ConfigFile::rules, "rule", "in [[rule]]", keys_of_rule},
    KeyPlace{ConfigFile::rules, "rule.quota", "in a rule's quota", keys_of_quota}};

bool is_table_below(std::string_view table, std::string_view above) {
    return above.empty() ||
           (table.size() > above.size() && table.starts_with(above) && table[above.size()] == '.');
}

}  // namespace

std::span<const KeyPlace> key_places() {
    return all_places;
}

std::string where_it_belongs(std::string_view key, ConfigFile file, std::string_view table) {
    std::vector<const KeyPlace*> found;
    for (const KeyPlace& place : all_places)
        if (std::ranges::find(place.keys, key) != place.keys.end()) found.push_back(&place);
    const auto prefer = [&](auto is_better) {
        if (std::ranges::any_of(found, is_better))
            std::erase_if(found, [&](const KeyPlace* place) { return !is_better(place); });
    };
    prefer([&](const KeyPlace* place) { return place->file == file; });
    prefer([&](const KeyPlace* place) {
        return place->file == file && is_table_below(place->table, table);
    });
    if (found.empty()) return {};
    std::string out;
    for (const KeyPlace* place : found) {
        out += out.empty() ? "; it belongs " : " or ";
        out += place->written;
    }
    if (found.front()->file != file)
        out += file == ConfigFile::main ? " of a rule file" : " of the main configuration";
    return out;
}

}  // namespace stanzagate::config
