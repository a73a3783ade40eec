#include "config/import/import_prosody.hpp"

#include "config/import/prosody_config.hpp"
#include "config/import/prosody_to_toml.hpp"
#include "config/load.hpp"

namespace stanzagate::config {
namespace {

// Whoever reads it in earnest must take what was written.
void check_result(const std::string& toml, const std::filesystem::path& file,
                  Diagnostics& diagnostics) {
    Diagnostics found;
    if (load_text(toml, file, found)) return;
    for (const Diagnostic& diagnostic : found.all())
        if (diagnostic.severity == Severity::error)
            diagnostics.error({file.string(), 1, 1},
                              "the result is not a valid configuration, in its line " +
                                  std::to_string(diagnostic.where.line) + ": " +
                                  diagnostic.message);
}

}  // namespace

std::optional<ImportedProsody> import_prosody(const std::filesystem::path& file,
                                              Diagnostics& diagnostics) {
    Diagnostics found;
    std::optional<ImportedProsody> imported;
    if (const auto config = read_prosody_config(file, found))
        imported = ImportedProsody{prosody_to_toml(*config, found)};
    if (imported && !found.has_errors()) check_result(imported->toml, file, found);
    if (found.has_errors()) imported.reset();
    for (const Diagnostic& diagnostic : found.all()) diagnostics.add(diagnostic);
    return imported;
}

}  // namespace stanzagate::config
