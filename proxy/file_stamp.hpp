#pragma once

#include <cstdint>
#include <filesystem>

namespace stanzagate::proxy {

// What tells one content of a file from another without reading it.
struct FileStamp {
    std::uintmax_t device = 0;
    std::uintmax_t inode = 0;  // 0: there is no file
    std::intmax_t size = 0;
    std::intmax_t written_ns = 0;
    std::intmax_t changed_ns = 0;

    static FileStamp of(const std::filesystem::path& file);
    bool operator==(const FileStamp&) const = default;
};

}  // namespace stanzagate::proxy
