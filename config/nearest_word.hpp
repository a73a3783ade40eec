#pragma once

#include <span>
#include <string>
#include <string_view>

namespace stanzagate::config {

// The candidate that `word` was probably meant to be; empty where none is near enough to be worth
// proposing. The view is of one of the candidates.
std::string_view nearest_word(std::string_view word, std::span<const std::string> candidates);

// `; did you mean "stanza_depth"?`, or nothing where no candidate is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace stanzagate::config
