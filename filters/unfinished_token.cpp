#include "filters/unfinished_token.hpp"

#include <algorithm>

namespace stanzagate::filters {

std::size_t UnfinishedToken::find_end(std::string_view token) {
    if (token.starts_with("<!--")) return find_behind(token, "-->");
    if (token.starts_with("<?")) return find_behind(token, "?>");
    // Tags, and the literals of a DTD: elsewhere a quote means nothing.
    bool const has_quotes =
        token.starts_with('<') || token.starts_with('\'') || token.starts_with('"');
    return has_quotes ? find_unquoted(token) : find_behind(token, ">");
}

std::size_t UnfinishedToken::find_unquoted(std::string_view token) {
    while (searched_ < token.size()) {
        auto const at =
            quote_ == '\0' ? token.find_first_of("'\">", searched_) : token.find(quote_, searched_);
        searched_ = std::min(at, token.size() - 1) + 1;
        if (at == std::string_view::npos) break;
        if (token[at] == '>') return at;
        quote_ = quote_ == '\0' ? token[at] : '\0';
    }
    return std::string_view::npos;
}

// The last byte of `end`, whose first ones may have come long before it.
std::size_t UnfinishedToken::find_behind(std::string_view token, std::string_view end) {
    auto const at = token.find(end, searched_);
    auto const next = at == std::string_view::npos ? token.size() + 1 - end.size() : at + 1;
    searched_ = std::max(searched_, next);
    return at == std::string_view::npos ? at : at + end.size() - 1;
}

}  // namespace stanzagate::filters
