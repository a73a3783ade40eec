#include "config/nearest_word.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace stanzagate::config {
namespace {

char folded(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

// Optimal string alignment: letters put in, left out, mistaken, or two neighbours swapped.
std::size_t distance(std::string_view a, std::string_view b) {
    const std::size_t width = b.size() + 1;
    std::vector<std::size_t> cells((a.size() + 1) * width);
    const auto cell = [&](std::size_t i, std::size_t j) -> std::size_t& {
        return cells[i * width + j];
    };
    for (std::size_t i = 0; i <= a.size(); ++i) cell(i, 0) = i;
    for (std::size_t j = 0; j <= b.size(); ++j) cell(0, j) = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = folded(a[i - 1]) == folded(b[j - 1]);
            cell(i, j) = std::min(
                {cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (same ? 0 : 1)});
            const bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                                 folded(a[i - 2]) == folded(b[j - 1]);
            if (swapped) cell(i, j) = std::min(cell(i, j), cell(i - 2, j - 2) + 1);
        }
    }
    return cell(a.size(), b.size());
}

}  // namespace

std::string_view nearest_word(std::string_view word, std::span<const std::string> candidates) {
    constexpr std::size_t longest = 64;  // no key of ours is as long, and the cost is quadratic
    std::string_view nearest;
    std::size_t least = 0;
    if (word.size() > longest) return nearest;
    for (const std::string& candidate : candidates) {
        const std::size_t apart = distance(word, candidate);
        // Of two letters either may be meant, "v3" for "v1" and "v2" alike.
        const std::size_t shorter = std::min(word.size(), candidate.size());
        const std::size_t tolerated = shorter < 3 ? 0 : shorter / 3;
        if (apart > tolerated || (!nearest.empty() && apart >= least)) continue;
        nearest = candidate;
        least = apart;
    }
    return nearest;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    const std::string_view nearest = nearest_word(word, candidates);
    if (nearest.empty()) return {};
    return "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace stanzagate::config
