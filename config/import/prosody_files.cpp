#include "config/import/prosody_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_files = 1000;
constexpr std::size_t most_bytes = std::size_t{1024} * 1024;

bool is_inside(const fs::path& path, const fs::path& folder) {
    const auto [rest, unused] = std::ranges::mismatch(folder, path);
    return rest == folder.end();
}

bool matches(std::string_view name, std::string_view pattern) {
    // Goes back to the last star only, so that the time is the product of the lengths at most.
    std::size_t at = 0;
    std::size_t in_pattern = 0;
    std::optional<std::size_t> star;
    std::size_t star_at = 0;
    while (at < name.size()) {
        if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
            star = in_pattern++;
            star_at = at;
        } else if (in_pattern < pattern.size() &&
                   (pattern[in_pattern] == '?' || pattern[in_pattern] == name[at])) {
            ++in_pattern;
            ++at;
        } else if (star) {
            in_pattern = *star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (in_pattern < pattern.size() && pattern[in_pattern] == '*') ++in_pattern;
    return in_pattern == pattern.size();
}

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where in the line the name is assigned to: a word of its own, before an equals sign.
std::size_t find_assignment(std::string_view line, std::string_view name) {
    const std::size_t comment = line.find("--");
    line = line.substr(0, comment);
    for (std::size_t at = line.find(name); at != std::string_view::npos;
         at = line.find(name, at + 1)) {
        const std::size_t next = line.find_first_not_of(" \t", at + name.size());
        const bool assigned = next != std::string_view::npos && line[next] == '=';
        if (assigned && (at == 0 || !is_word(line[at - 1]))) return at;
    }
    return std::string_view::npos;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + 1)) {
        end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
    }
    return lines;
}

}  // namespace

ProsodyFiles::ProsodyFiles(const fs::path& file)
    : first_(file), folder_(file.has_parent_path() ? file.parent_path() : fs::path(".")) {
    std::error_code ignored;
    real_folder_ = fs::weakly_canonical(fs::absolute(folder_, ignored), ignored);
}

fs::path ProsodyFiles::resolved(int from, std::string_view path) const {
    return files_.at(index(from)).path.parent_path() / path;  // an absolute path stays as it is
}

ProsodyFiles::Opened ProsodyFiles::open_first() {
    return read(first_);
}

ProsodyFiles::Opened ProsodyFiles::open(int from, std::string_view name) {
    if (name.find('\0') != std::string_view::npos) return {0, "not the name of a file"};
    const fs::path path = resolved(from, name);
    std::error_code failed;
    const fs::path real = fs::weakly_canonical(fs::absolute(path, failed), failed);
    if (failed) return {0, failed.message()};
    if (!is_inside(real, real_folder_))
        return {0, "it is outside of the configuration's own folder", true};
    const fs::file_status status = fs::status(real, failed);
    if (!fs::exists(status)) return {0, std::generic_category().message(ENOENT)};
    // Anything else, such as a pipe, could keep us waiting.
    if (!fs::is_regular_file(status)) return {0, "it is not a regular file"};
    if (files_.size() >= most_files) return {0, "too many files are included"};
    return read(path);
}

ProsodyFiles::Opened ProsodyFiles::read(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return {0, "it is a directory"};
    errno = 0;
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return {0, std::generic_category().message(errno != 0 ? errno : EIO)};
    File file{.path = path, .text = {}};
    std::array<char, 65536> block{};
    while (stream.read(block.data(), block.size()), stream.gcount() > 0) {
        file.text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
        if (file.text.size() > most_bytes) return {0, "it is larger than 1 MiB"};
    }
    if (stream.bad()) return {0, std::generic_category().message(errno != 0 ? errno : EIO)};
    files_.push_back(std::move(file));
    return {static_cast<int>(files_.size()), {}};
}

ProsodyFiles::Matching ProsodyFiles::matching(int from, std::string_view pattern) const {
    const std::size_t slash = pattern.rfind('/');
    const std::string_view before =
        slash == std::string_view::npos ? "" : pattern.substr(0, slash + 1);
    const std::string_view last = pattern.substr(before.size());
    Matching found;
    std::error_code failed;
    const fs::path folder = resolved(from, before);
    const fs::path real = fs::weakly_canonical(fs::absolute(folder, failed), failed);
    // What is not in the folder: open() says so of the pattern itself.
    if (failed || !is_inside(real, real_folder_)) return {{std::string(pattern)}, {}};
    for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end;
         entry.increment(failed)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with('.') && matches(name, last))
            found.paths.push_back(std::string(before) + name);
    }
    if (failed)
        found.problem =
            "the folder " + in_quotes(folder.string()) + " cannot be read: " + failed.message();
    std::ranges::sort(found.paths);
    return found;
}

Position ProsodyFiles::position(int number, int line, std::string_view option,
                                Search search) const {
    if (number < 1 || index(number) >= files_.size()) return {first_.string(), 1, 1};
    const File& file = files_[index(number)];
    Position where{file.path.string(), line, 1};
    if (option.empty()) return where;
    const auto lines = lines_of(file.text);
    const int step = search == Search::up ? -1 : 1;
    for (int at = line; at > 0 && at <= static_cast<int>(lines.size()); at += step) {
        const std::size_t column = find_assignment(lines[static_cast<std::size_t>(at) - 1], option);
        if (column == std::string_view::npos) continue;
        return {where.file, at, static_cast<int>(column) + 1};
    }
    return where;
}

}  // namespace stanzagate::config
