#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace stanzagate::config {

// Whether a path has a wildcard as shells have them: "*", "?" or "[".
bool has_wildcard(std::string_view pattern);

struct Matches {
    std::vector<std::filesystem::path> files;
    std::vector<std::string> faults;  // what is there but could not be reached, and why
};

// The files that a pattern stands for, in byte order of their names; a relative one starts in
// `folder`, whose own name is not part of the pattern. As in a shell, a wildcard stands for no "/",
// and for no "." at the start of a name. Folders and other special files are left out; a link to
// nothing is a fault.
Matches match_files(const std::filesystem::path& folder, std::string_view pattern);

}  // namespace stanzagate::config
