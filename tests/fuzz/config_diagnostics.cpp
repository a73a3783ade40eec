#include "tests/fuzz/config_diagnostics.hpp"

#include <algorithm>
#include <string>

#include "tests/fuzz/require.hpp"

namespace stanzagate::config {

void check_diagnostics(const Diagnostics& diagnostics, std::string_view file, std::string_view text,
                       std::size_t shortest) {
    auto const lines = 1 + std::count(text.begin(), text.end(), '\n');
    require(diagnostics.all().size() <= 1100 + 4 * text.size(), "not endless", text);
    for (auto const& diagnostic : diagnostics.all()) {
        auto const line = diagnostic.to_string();
        auto const& where = diagnostic.where;
        require(line.find_first_of("\n\r") == std::string::npos, "one line", line);
        require(!where.file.empty() && diagnostic.message.size() >= shortest, "says where and what",
                line);
        require(where.line >= 0 && where.column >= 0, "a place", line);
        if (where.file != file) continue;
        require(where.line <= lines, "a line of the file", line);
        require(where.column <= 1 + static_cast<int>(text.size()), "a column of the file", line);
    }
}

}  // namespace stanzagate::config
