#pragma once

#include <filesystem>
#include <string>

#include "config/import/import_notes.hpp"
#include "config/import/prosody_config.hpp"
#include "config/import/prosody_options.hpp"

namespace stanzagate::config {

struct CertificateFiles {
    std::filesystem::path certificate;
    std::filesystem::path key;
    bool found = false;  // both are there
};

// The files that Prosody would take for the host, by the options `ssl`, `certificate` and
// `certificates` and the names that it tries. Looks which of them are there, and into none.
CertificateFiles certificate_files(const ProsodyConfig& config, const ProsodyOptions& options,
                                   const std::string& host);

}  // namespace stanzagate::config
