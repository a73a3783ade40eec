#pragma once

#include <string>
#include <vector>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

// What could not be carried over: a warning, and a comment where the TOML would have said it. The
// same thing is said once, however many hosts it is found for.
class ImportNotes {
public:
    explicit ImportNotes(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    void add(const Position& where, const std::string& message);
    // The comments since the last time, as lines of TOML.
    std::string take();

private:
    Diagnostics& diagnostics_;
    std::vector<Diagnostic> known_;
    std::string comments_;
};

}  // namespace stanzagate::config
