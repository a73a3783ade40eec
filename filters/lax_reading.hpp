#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "filters/frame.hpp"

namespace stanzagate::filters {

// Some servers read XML by rules of their own. They cut the stream by hand, and know only one kind
// of quotes (Openfire), or take the first '>' for the end of a CDATA section (Tigase); they let a
// prefix mean what it meant in an earlier element (Tigase). To them there may be an iq, or a
// registration request, where XML has none. This finds what they could take so.
//   note() the stream's header, then ask of each first-level element, in order.
class LaxReading {
public:
    void note(const Frame& header);
    // Whether such a server could see a request in the element that is none of the stream's, or see
    // its child in another namespace. An iq inside an element is suspected only where something in
    // the stream so far could have led a cutter astray, and something has named registration.
    bool may_see_another(const Frame& element);

private:
    bool look_through(std::string_view xml);
    void note(std::string_view name, std::string_view quoted);
    bool is_unclear(std::string_view prefix) const;

    // More prefixes than these have no clear meaning.
    static constexpr std::size_t most_prefixes = 64;

    bool leads_astray_ = false;
    bool declares_registration_ = false;
    std::map<std::string, std::string, std::less<>> meanings_;  // by prefix, as written
    std::set<std::string, std::less<>> unclear_;                // prefixes with several
};

}  // namespace stanzagate::filters
