#include "config/load.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "config/local_ports.hpp"
#include "config/own_addresses.hpp"
#include "config/readers.hpp"
#include "config/text_file.hpp"
#include "config/toml_value.hpp"

namespace stanzagate::config {
namespace {

void check_host_names(const std::vector<HostKeys>& hosts, Diagnostics& diagnostics) {
    std::map<std::string, int> lines;
    for (const HostKeys& keys : hosts) {
        const Host& host = keys.host;
        // An exact pattern without a name is one that could not be read.
        if (host.name == HostPattern{}) continue;
        const auto [first, is_new] = lines.emplace(host.name.to_string(), host.where.line);
        if (!is_new)
            diagnostics.error(host.where, "host.name: \"" + first->first +
                                              "\" is already the name of a host in line " +
                                              std::to_string(first->second));
    }
}

void read_http_of(Section& root, Config& config) {
    auto section = root.table("http");
    if (!section) return;
    config.http = read_http(std::move(*section));
    const bool is_used = std::ranges::any_of(
        config.listen, [](const Listen& listen) { return listen.served.http(); });
    // With an error, `serve` may have been what is wrong.
    if (!is_used && !root.reading().diagnostics.has_errors())
        root.warning("http", config.http.where,
                     "of no use, since no listener has \"websocket\" or \"bosh\" in its serve");
}

// Nothing where it is no TOML. `found` is empty: somebody else's errors would be taken for those of
// this text.
std::optional<Config> read_text(std::string_view text, const std::filesystem::path& file,
                                Diagnostics& found) {
    Reading reading{.diagnostics = found, .folder = file.parent_path()};
    const Position whole{.file = file.string()};
    const auto document = parse_toml(text, whole.file, found);
    if (!document) return std::nullopt;
    Config config = read_config(Section(std::get<TomlTable>(document->value), whole, "", reading));
    config.file = file;
    return config;
}

// Hosts whose name, and files whose path, could not be read.
void leave_out_what_is_wrong(Config& config) {
    std::erase_if(config.hosts, [](const Host& host) { return host.name == HostPattern{}; });
    config.index_hosts();
    const auto leave_out = [](std::optional<std::filesystem::path>& file) {
        if (file && file->empty()) file.reset();
    };
    leave_out(config.server.geoip);
    leave_out(config.server.ticket_keys);
    for (NamedList& list : config.lists) leave_out(list.file);
}

void add_all(const Diagnostics& found, Diagnostics& diagnostics) {
    for (const Diagnostic& diagnostic : found.all()) diagnostics.add(diagnostic);
}

}  // namespace

Config read_config(Section root) {
    Config config;
    std::map<Endpoint, Position> bound;
    if (auto server = root.table("server")) {
        const Position where = server->where("admin");
        config.server = read_server(std::move(*server));
        if (const auto& admin = config.server.admin; admin && admin->endpoint())
            bound.emplace(*admin->endpoint(), where);
    }
    Position connections_where;
    if (auto limits = root.table("limits")) {
        connections_where = limits->where("connections");
        config.limits = read_limits(std::move(*limits));
    }

    for (Section& listen : root.tables("listen"))
        config.listen.push_back(read_listen(std::move(listen), bound));
    std::vector<HostKeys> hosts;
    const bool without_tls =
        !config.listen.empty() && std::ranges::all_of(config.listen, [](const Listen& listen) {
            return listen.tls == TlsMode::none;
        });
    for (Section& host : root.tables("host"))
        hosts.push_back(read_host(std::move(host), !without_tls));
    if (!root.has("listen"))
        root.missing("listen", "at least one [[listen]] says where clients connect");
    if (!root.has("host"))
        root.missing("host", "at least one [[host]] says which names are served");

    RegistrationKeys registration;
    if (auto section = root.table("registration"))
        registration = read_registration(std::move(*section));

    constexpr std::string_view elsewhere = "belongs in a rule file, which registration.rules names";
    root.refused("lists", elsewhere);
    root.refused("rule", elsewhere);
    read_http_of(root, config);
    root.finish();

    Diagnostics& diagnostics = root.reading().diagnostics;
    check_host_names(hosts, diagnostics);
    for (const HostKeys& keys : hosts)
        warn_of_own_addresses(config.listen, keys.host.upstream, diagnostics);
    resolve_registration(config, registration, hosts, root.reading());
    if (const auto ports = local_ports())
        warn_of_few_ports(config, *ports, connections_where, diagnostics);
    return config;
}

std::optional<Config> load_text(std::string_view text, const std::filesystem::path& file,
                                Diagnostics& diagnostics) {
    Diagnostics found;
    auto config = read_text(text, file, found);
    if (found.has_errors()) config.reset();
    add_all(found, diagnostics);
    return config;
}

std::optional<Config> load_in_part(const std::filesystem::path& file, Diagnostics& diagnostics) {
    const auto text = read_text_file(file, "the configuration", diagnostics);
    if (!text) return std::nullopt;
    Diagnostics found;
    auto config = read_text(*text, file, found);
    if (config && found.has_errors()) leave_out_what_is_wrong(*config);
    add_all(found, diagnostics);
    return config;
}

std::optional<Config> load(const std::filesystem::path& file, Diagnostics& diagnostics) {
    const auto text = read_text_file(file, "the configuration", diagnostics);
    if (!text) return std::nullopt;
    return load_text(*text, file, diagnostics);
}

}  // namespace stanzagate::config
