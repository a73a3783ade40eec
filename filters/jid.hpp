#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace stanzagate::filters {

// The domain part of a JID (RFC 7622 section 3.2): what stands behind the first '@' that is before
// the first '/', without a trailing dot, in ASCII lower case. No other preparation is made: a name
// that only nameprep would make equal counts as another one, which is the strict reading.
inline std::string domain_of(std::string_view jid) {
    jid = jid.substr(0, jid.find('/'));
    if (auto const at = jid.find('@'); at != std::string_view::npos) jid.remove_prefix(at + 1);
    if (jid.ends_with('.')) jid.remove_suffix(1);
    std::string domain(jid);
    std::transform(domain.begin(), domain.end(), domain.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return domain;
}

}  // namespace stanzagate::filters
