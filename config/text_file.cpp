#include "config/text_file.hpp"

#include <cstddef>
#include <utility>
#include <variant>

#include "config/whole_file.hpp"

namespace stanzagate::config {

std::optional<std::string> read_text_file(const std::filesystem::path& file, std::string_view what,
                                          Diagnostics& diagnostics) {
    constexpr std::size_t most = std::size_t{16} * 1024 * 1024;
    auto read = read_whole_file(file, most);
    if (auto* const text = std::get_if<std::string>(&read)) return std::move(*text);
    diagnostics.error({.file = file.string(), .line = 1, .column = 1},
                      std::string(what) + " cannot be read: " + std::get<Unreadable>(read).why);
    return std::nullopt;
}

}  // namespace stanzagate::config
