#pragma once

#include <string>

#include "tests/smuggling/passage.hpp"
#include "tests/smuggling/reading.hpp"

namespace stanzagate::smuggling {

// In what another reader of what was forwarded and the gate do not agree; empty: in nothing.
std::string difference(const Passage& passage, const Reading& reading);

// A request to register, written anew, not borrowed from the code that is tested.
bool asks_to_register(const Tree& tree);

}  // namespace stanzagate::smuggling
