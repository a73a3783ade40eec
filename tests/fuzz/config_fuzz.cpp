#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "tests/fuzz/config_diagnostics.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/temporary_folder.hpp"

// Any bytes as the configuration, or as a rule file that a sound configuration names: there is a
// result or an error, everything is said in lines of the right form at places that exist, and
// reading it twice gives the same.
//   byte 0: which of the two; the rest: the file
namespace {

using stanzagate::require;
using namespace stanzagate::config;

constexpr std::string_view main_text = R"(
server.geoip = "GeoLite2-Country.mmdb"
listen = [{ address = "0.0.0.0:5222" }]
[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[[host]]
name = "*.example.net"
self_signed = true
upstream = "tcp://192.0.2.10:5222"
[registration]
url = "https://example.org/register"
rules = "rules.toml"
)";

struct Loaded {
    std::optional<Config> config;
    Diagnostics diagnostics;
};

Loaded load(std::string_view text, const std::filesystem::path& file) {
    Loaded loaded;
    loaded.config = load_text(text, file, loaded.diagnostics);
    require(loaded.config.has_value() != loaded.diagnostics.has_errors(), "a result or an error",
            text);
    return loaded;
}

std::string said(const Diagnostics& diagnostics) {
    std::string text;
    for (auto const& diagnostic : diagnostics.sorted()) text += diagnostic.to_string() + "\n";
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static stanzagate::TemporaryFolder const folder;
    if (size < 1) return 0;
    std::string const text(data + 1, data + size);
    bool const is_rule_file = data[0] % 2 == 1;
    auto const main_file = folder.at("main.toml");
    auto const rule_file = folder.at("rules.toml");
    if (is_rule_file) {
        std::ofstream(rule_file, std::ios::binary) << text;
    } else {
        std::filesystem::remove(rule_file);
        // What other places of this machine hold may change at any time.
        for (auto const* const elsewhere : {"\"/", "'/", "..", "\\"})
            if (text.find(elsewhere) != std::string::npos) return 0;
    }
    auto const first = load(is_rule_file ? main_text : text, main_file);
    auto const second = load(is_rule_file ? main_text : text, main_file);
    check_diagnostics(first.diagnostics, (is_rule_file ? rule_file : main_file).string(), text);
    require(said(first.diagnostics) == said(second.diagnostics), "the same again", text);
    require(first.config == second.config, "the same again", text);
    return 0;
}
