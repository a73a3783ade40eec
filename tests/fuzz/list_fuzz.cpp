#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/list_file.hpp"
#include "tests/fuzz/config_diagnostics.hpp"
#include "tests/fuzz/require.hpp"

// Any bytes as a list of addresses: the list holds what each line holds by itself, and nothing from
// lines that are none; these are said, at their places, and not without end.
namespace {

using stanzagate::require;
using namespace stanzagate::config;

// What is left of a line without its comment and the blanks around.
std::string_view entry_of(std::string_view line) {
    line = line.substr(0, line.find('#'));
    constexpr std::string_view blank = " \t\r";
    auto const begin = std::min(line.find_first_not_of(blank), line.size());
    line.remove_prefix(begin);
    return line.substr(0, line.find_last_not_of(blank) + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string const text(data, data + size);
    Diagnostics diagnostics;
    auto const list = parse_list(text, "list.txt", diagnostics);
    check_diagnostics(diagnostics, "list.txt", text);
    require(!diagnostics.has_errors(), "warnings only", text);

    std::size_t sound = 0;
    std::size_t broken = 0;
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    while (!rest.empty()) {
        auto const end = std::min(rest.find('\n'), rest.size());
        auto const entry = entry_of(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (entry.empty()) continue;
        auto const network = Network::parse(entry);
        ++(network ? sound : broken);
        if (network) require(list.covers(*network), "every line counts", entry);
    }
    require(list.size() == sound, "nothing else counts", text);
    auto const warnings = std::min(broken, most_list_file_warnings + 1);
    require(diagnostics.all().size() == warnings, "each broken line is said, up to a limit", text);
    require(list.memory_bytes() <= 256 + 64 * sound, "bounded", text);
    return 0;
}
