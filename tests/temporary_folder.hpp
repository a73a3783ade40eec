#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace stanzagate {

// A folder for one test's files, which goes with everything in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "stanzagate-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder like " + name);
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path at(std::string_view name) const { return path_ / name; }
    // In place, where there is a file already.
    std::filesystem::path write(std::string_view name, std::string_view text) const {
        std::ofstream(at(name), std::ios::binary | std::ios::trunc) << text;
        return at(name);
    }

private:
    std::filesystem::path path_;
};

}  // namespace stanzagate
