#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "config/load.hpp"
#include "tests/config/import/prosody_folder.hpp"
#include "tests/fuzz/config_diagnostics.hpp"
#include "tests/fuzz/require.hpp"

// Any program as a Prosody configuration: evaluating it ends, in time and memory (libFuzzer's
// limits see to that), and what comes of it is a configuration that the gate loads.
namespace {

using stanzagate::require;
using namespace stanzagate::config;

// Lua counts lines as old Macs do, too.
std::string with_line_feeds(std::string program) {
    std::replace(program.begin(), program.end(), '\r', '\n');
    return program;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static ProsodyFolder folder;
    std::string const program(data, data + size);
    folder.write("prosody/prosody.cfg.lua", program);
    Diagnostics diagnostics;
    auto const imported = import_prosody(folder.file(), diagnostics);
    // A program may raise any error.
    check_diagnostics(diagnostics, folder.file().string(), with_line_feeds(program), 1);
    require(imported.has_value() != diagnostics.has_errors(), "a result or an error", program);
    if (!imported) return 0;

    for (auto const& toml : {imported->toml, folder.with_rules(imported->toml)}) {
        Diagnostics loading;
        auto const config = load_text(toml, folder.path() / "stanzagate.toml", loading);
        std::string said = toml;
        for (auto const& diagnostic : loading.all()) said += diagnostic.to_string() + "\n";
        require(config.has_value(), "what is imported can be loaded", said);
    }
    return 0;
}
