#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/server_advice.hpp"

namespace stanzagate::proxy {

// One thing about an upstream that ought to be otherwise.
struct Finding {
    enum class Weight : std::uint8_t { problem, note };
    Weight weight = Weight::problem;
    std::string_view id;  // for programs, a literal
    std::string what;     // in a few words
    std::string seen;
    std::string why;  // it matters
    Settings set;     // each file's lines; where two ways lead there, the better one first
};

}  // namespace stanzagate::proxy
