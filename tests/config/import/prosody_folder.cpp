#include "tests/config/import/prosody_folder.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include "config/load.hpp"

namespace stanzagate::config {

namespace fs = std::filesystem;

ProsodyFolder::ProsodyFolder() {
    std::string name = (fs::temp_directory_path() / "stanzagate-prosody-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = fs::canonical(name);
}

ProsodyFolder::~ProsodyFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

fs::path ProsodyFolder::write(const std::string& name, std::string_view text) {
    const fs::path file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
}

void ProsodyFolder::keep(const Diagnostics& diagnostics) {
    const std::string folder = file().parent_path().string() + '/';
    said_.clear();
    for (const Diagnostic& diagnostic : diagnostics.sorted()) {
        std::string line = diagnostic.to_string();
        for (std::size_t at = line.find(folder); at != std::string::npos; at = line.find(folder))
            line.erase(at, folder.size());
        said_ += line + '\n';
    }
}

std::optional<ProsodyConfig> ProsodyFolder::evaluate(std::string_view text) {
    write("prosody/prosody.cfg.lua", text);
    Diagnostics diagnostics;
    auto config = read_prosody_config(file(), diagnostics);
    keep(diagnostics);
    return config;
}

std::optional<std::string> ProsodyFolder::import(std::string_view text) {
    write("prosody/prosody.cfg.lua", text);
    Diagnostics diagnostics;
    const auto imported = import_prosody(file(), diagnostics);
    keep(diagnostics);
    if (!imported) return std::nullopt;
    return imported->toml;
}

std::string ProsodyFolder::with_rules(const std::string& toml) {
    constexpr std::string_view head = "# ---- rules/limits.toml ----\n";
    constexpr std::string_view table = "[registration]\n";
    const std::size_t at = toml.find(head);
    if (at == std::string::npos) return toml;
    std::string rules;
    std::istringstream lines(toml.substr(at + head.size()));
    for (std::string line; std::getline(lines, line);) rules += line.substr(1) + '\n';
    write("rules/limits.toml", rules);
    std::string with = toml;
    return with.insert(with.find(table) + table.size(), "rules = [\"rules/limits.toml\"]\n");
}

Config ProsodyFolder::loaded(const std::string& toml) const {
    Diagnostics diagnostics;
    auto config = load_text(toml, path_ / "stanzagate.toml", diagnostics);
    if (config) return *config;
    throw std::runtime_error("not accepted:\n" + diagnostics.all().front().to_string() + '\n' +
                             toml);
}

Config ProsodyFolder::imported(std::string_view text) {
    const auto toml = import(text);
    if (!toml) throw std::runtime_error("not imported:\n" + said_);
    loaded(with_rules(*toml));
    return loaded(*toml);
}

}  // namespace stanzagate::config
