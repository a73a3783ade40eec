#pragma once

#include <charconv>
#include <optional>
#include <string>

namespace stanzagate::filters {

// True for a stream version of 1.0 or above: only then are stream features sent. A missing version
// means 0.9 (RFC 6120 section 4.7.5); servers take "1" for 1.0.
inline bool has_features(const std::optional<std::string>& version) {
    if (!version) return false;
    unsigned major = 0;
    auto const* const end = version->data() + version->size();
    auto const [rest, error] = std::from_chars(version->data(), end, major);
    return error == std::errc{} && major >= 1 && (rest == end || *rest == '.');
}

}  // namespace stanzagate::filters
