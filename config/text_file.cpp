#include "config/text_file.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <system_error>

namespace stanzagate::config {

std::optional<std::string> read_text_file(const std::filesystem::path& file, std::string_view what,
                                          Diagnostics& diagnostics) {
    constexpr std::size_t most = std::size_t{16} * 1024 * 1024;
    const auto fail = [&](const std::string& why) {
        diagnostics.error({.file = file.string(), .line = 1, .column = 1},
                          std::string(what) + " cannot be read: " + why);
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

}  // namespace stanzagate::config
