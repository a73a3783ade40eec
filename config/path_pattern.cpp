#include "config/path_pattern.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <iterator>
#include <system_error>

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

// The entries of a folder whose names match.
void look_into(const fs::path& folder, const std::string& name_pattern, Matches& matches,
               std::vector<fs::path>& found) {
    std::error_code error;
    const fs::path start = folder.empty() ? fs::path(".") : folder;
    fs::directory_iterator entry(start, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const fs::path name = entry->path().filename();
        if (::fnmatch(name_pattern.c_str(), name.c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0)
            found.push_back(folder / name);
    }
    // What is not there, or is no folder, holds nothing. The rest must not pass for "no rules".
    if (error && error != std::errc::no_such_file_or_directory &&
        error != std::errc::not_a_directory)
        matches.faults.push_back(start.string() + ": " + error.message());
}

// Whether a path leads to anything. A link whose target is not there was put there by somebody: it
// must not pass for "no rules" either.
bool is_there(const fs::path& path, Matches& matches) {
    std::error_code error;
    if (fs::symlink_status(path, error).type() == fs::file_type::not_found) return false;
    if (!error && fs::exists(fs::status(path, error))) return true;
    if (error) matches.faults.push_back(path.string() + ": " + error.message());
    return !error;
}

}  // namespace

bool has_wildcard(std::string_view pattern) {
    return pattern.find_first_of("*?[") != std::string_view::npos;
}

Matches match_files(const fs::path& folder, std::string_view pattern) {
    Matches matches;
    std::vector<fs::path> reached{folder};
    for (const fs::path& part : fs::path(pattern)) {
        std::vector<fs::path> next;
        for (const fs::path& from : reached) {
            if (has_wildcard(part.string())) {
                look_into(from, part.string(), matches, next);
            } else {
                next.push_back(from / part);
            }
        }
        std::erase_if(next, [&](const fs::path& path) { return !is_there(path, matches); });
        reached = std::move(next);
    }
    std::error_code ignored;
    std::ranges::copy_if(reached, std::back_inserter(matches.files),
                         [&](const fs::path& file) { return fs::is_regular_file(file, ignored); });
    std::ranges::sort(matches.files, {}, [](const fs::path& file) { return file.native(); });
    return matches;
}

}  // namespace stanzagate::config
