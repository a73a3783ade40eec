#pragma once

#include <string>
#include <string_view>
#include <vector>

// What XML says, however it is written: expanded names, attributes in order of their names, text.
// Written anew over Expat and in the plainest way, so that it shares nothing with what is tested.
namespace stanzagate::filters {

// A document of its own. Empty: it is none.
std::string canonical(std::string_view document);

// The first-level elements of a stream that may be cut off anywhere; the last entry is "broken"
// where it is not well-formed.
std::vector<std::string> canonical_elements(std::string_view stream);

}  // namespace stanzagate::filters
