#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/diagnostics.hpp"
#include "config/import/import_prosody.hpp"
#include "config/import/prosody_config.hpp"

namespace stanzagate::config {

// A folder with a Prosody configuration, for one test.
class ProsodyFolder {
public:
    ProsodyFolder();
    ~ProsodyFolder();
    ProsodyFolder(const ProsodyFolder&) = delete;
    ProsodyFolder& operator=(const ProsodyFolder&) = delete;

    // Also makes the folders that the name needs.
    std::filesystem::path write(const std::string& name, std::string_view text);
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path file() const { return path_ / "prosody" / "prosody.cfg.lua"; }

    // Of file() with that text. The diagnostics, one a line, without the folder's name.
    std::optional<ProsodyConfig> evaluate(std::string_view text);
    std::optional<std::string> import(std::string_view text);
    // The same, loaded as the gate would load it, and once more with the rule file that is printed
    // in comments; throws where one of them has errors. The result is without the rules.
    Config imported(std::string_view text);
    // What is imported, with its rule file in use; as it is where it has none.
    std::string with_rules(const std::string& toml);
    const std::string& said() const { return said_; }

private:
    void keep(const Diagnostics& diagnostics);
    Config loaded(const std::string& toml) const;

    std::filesystem::path path_;
    std::string said_;
};

}  // namespace stanzagate::config
