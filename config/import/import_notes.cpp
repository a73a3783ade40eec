#include "config/import/import_notes.hpp"

#include <algorithm>
#include <utility>

#include "config/import/toml_text.hpp"

namespace stanzagate::config {

void ImportNotes::add(const Position& where, const std::string& message) {
    const bool known = std::ranges::any_of(known_, [&](const Diagnostic& other) {
        return other.where == where && other.message == message;
    });
    if (known) return;
    known_.push_back({Severity::warning, where, message});
    diagnostics_.warning(where, message);
    comments_ += toml_comment(message);
}

std::string ImportNotes::take() {
    return std::exchange(comments_, {});
}

}  // namespace stanzagate::config
