#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stanzagate::proxy {

// A name in a directory, neither of which need exist. The directory is free of symbolic links.
struct FilePlace {
    std::filesystem::path directory;
    std::string name;

    bool operator==(const FilePlace&) const = default;
};

// The places in which a change can make `file` another file, as things stand: that of every
// symbolic link on the way to it, and that of the file itself; where something is missing, that of
// the first thing that is.
//   /etc/gate/key.pem with key.pem -> current/key.pem and current -> 2026-01:
//   key.pem in /etc/gate, current in /etc/gate, key.pem in /etc/gate/2026-01
std::vector<FilePlace> places_of(const std::filesystem::path& file);

}  // namespace stanzagate::proxy
