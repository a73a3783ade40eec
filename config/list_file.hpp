#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/diagnostics.hpp"
#include "config/network_set.hpp"

// Files of addresses and networks, `spam = { file = "spam.txt" }`: one a line, empty lines and #
// comments between and behind them; lines may end in CRLF, and a byte order mark at the start is
// passed over.
namespace stanzagate::config {

// A file above this size is not read: some ten million networks.
inline constexpr std::size_t most_list_file_bytes = std::size_t{256} * 1024 * 1024;
// Broken lines of one file that get a warning each; one more counts the rest.
inline constexpr std::size_t most_list_file_warnings = 20;

// The networks in a file. Lines that are none are skipped with a warning at their place in the
// file. Where the file cannot be read, an error at the place that names it, and nullopt. Reading
// and writing one file at the same time cannot be made safe: replace a list by writing a new file
// beside it and renaming that. A file that is seen to change is read again, once; if it changes
// again, it counts as unreadable, since half a list would let in whom the whole one keeps out.
// While it works it needs the file's size in memory, and then up to 64 bytes a network.
std::optional<NetworkSet> read_list_file(const std::filesystem::path& path,
                                         const Position& named_at, Diagnostics& diagnostics);

// The same for what was in the file; `file` is the name to give in warnings.
NetworkSet parse_list(std::string_view text, const std::string& file, Diagnostics& diagnostics);

}  // namespace stanzagate::config
