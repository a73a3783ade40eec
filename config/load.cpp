#include "config/load.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <system_error>

#include "config/readers.hpp"
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

std::optional<std::string> read_file(const std::filesystem::path& file, Diagnostics& diagnostics) {
    constexpr std::size_t most = std::size_t{16} * 1024 * 1024;
    const auto fail = [&](const std::string& why) {
        diagnostics.error({.file = file.string(), .line = 1, .column = 1},
                          "the configuration cannot be read: " + why);
        return std::nullopt;
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) return fail("it is a directory");
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return fail(std::generic_category().message(errno != 0 ? errno : EIO));
    std::string text;
    std::array<char, 65536> block{};
    while (stream.read(block.data(), block.size()), stream.gcount() > 0) {
        text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
        if (text.size() > most) return fail("it is larger than 16 MiB");
    }
    if (stream.bad()) return fail(std::generic_category().message(errno != 0 ? errno : EIO));
    return text;
}

}  // namespace

Config read_config(Section root) {
    Config config;
    if (auto server = root.table("server")) config.server = read_server(std::move(*server));
    if (auto limits = root.table("limits")) config.limits = read_limits(std::move(*limits));

    std::map<Endpoint, Position> bound;
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

    root.unsupported("lists");
    root.unsupported("rule");
    root.unsupported("http");
    root.finish();

    Diagnostics& diagnostics = root.reading().diagnostics;
    check_host_names(hosts, diagnostics);
    resolve_registration(config, registration, hosts, diagnostics);
    return config;
}

std::optional<Config> load_text(std::string_view text, const std::filesystem::path& file,
                                Diagnostics& diagnostics) {
    // Somebody else's diagnostics may be in there already.
    Diagnostics found;
    Reading reading{.diagnostics = found, .folder = file.parent_path()};
    std::optional<Config> config;
    const Position whole{.file = file.string()};
    if (const auto document = parse_toml(text, whole.file, found)) {
        config = read_config(Section(std::get<TomlTable>(document->value), whole, "", reading));
        config->file = file;
    }
    if (found.has_errors()) config.reset();
    for (const Diagnostic& diagnostic : found.all()) diagnostics.add(diagnostic);
    return config;
}

std::optional<Config> load(const std::filesystem::path& file, Diagnostics& diagnostics) {
    const auto text = read_file(file, diagnostics);
    if (!text) return std::nullopt;
    return load_text(*text, file, diagnostics);
}

}  // namespace stanzagate::config
