#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "filters/policy.hpp"
#include "tests/filters/framing.hpp"
#include "tests/filters/splits.hpp"

// What of a client's stream passes the gate.
namespace stanzagate::smuggling {

struct Passage {
    std::string forwarded;                     // every byte that the upstream got
    std::vector<filters::KeptFrame> elements;  // of them, as the gate read them
    std::string verdict;                       // see corpus.hpp
    std::string broken_promise;                // empty: none

    // What was forwarded, closed where it is open: a document.
    std::string document() const;
};

// The upstream answers the header and is silent then.
Passage pass(const filters::Policy& policy, std::string_view peer, const filters::Pieces& pieces);

}  // namespace stanzagate::smuggling
