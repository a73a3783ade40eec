#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <variant>

namespace stanzagate::config {

// What is in a file, or why it cannot be read, as the end of a sentence: "it is a directory".
struct Unreadable {
    std::string why;

    bool operator==(const Unreadable&) const = default;
};
using WholeFile = std::variant<std::string, Unreadable>;

// Reads a regular file, or what a link to one leads to, in one go. Nothing else is opened for long:
// a pipe or a device would be waited for. A file of more than `most` bytes is not read. A file that
// changes meanwhile (by its size, its time of change, or because another has taken its place) is
// read a second time; if it changes again, it is unreadable: half a file is not what its writer
// meant. What is read and not returned is wiped, for there may be a key in it. `after_reading` is
// called each time between reading and looking whether the file has changed; tests change it there.
WholeFile read_whole_file(const std::filesystem::path& path, std::size_t most,
                          const std::function<void()>& after_reading = {});

}  // namespace stanzagate::config
