#include "tests/filters/splits.hpp"

#include <algorithm>

namespace stanzagate::filters {

Pieces pieces_of(std::string_view bytes, std::size_t size) {
    Pieces pieces;
    for (std::size_t at = 0; at < bytes.size(); at += size)
        pieces.push_back(bytes.substr(at, size));
    return pieces;
}

Pieces cut_at(std::string_view bytes, std::size_t at) {
    return {bytes.substr(0, at), bytes.substr(at)};
}

Pieces random_pieces(std::string_view bytes, std::mt19937& random) {
    Pieces pieces;
    while (!bytes.empty()) {
        std::size_t const most = random() % 4 == 0 ? 200 : 12;
        auto const size = std::min<std::size_t>(bytes.size(), 1 + random() % most);
        pieces.push_back(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }
    return pieces;
}

std::vector<Pieces> every_split(std::string_view bytes) {
    std::vector<Pieces> splits;
    for (std::size_t size = 1; size <= bytes.size(); ++size)
        splits.push_back(pieces_of(bytes, size));
    for (std::size_t at = 1; at < bytes.size(); ++at) splits.push_back(cut_at(bytes, at));
    return splits;
}

std::vector<Pieces> some_splits(std::string_view bytes, unsigned seed) {
    std::vector<Pieces> splits;
    for (std::size_t const size : {1U, 2U, 3U, 7U, 64U}) splits.push_back(pieces_of(bytes, size));
    std::mt19937 random(seed);
    for (int i = 0; i < 8; ++i) splits.push_back(random_pieces(bytes, random));
    splits.push_back({bytes});
    return splits;
}

}  // namespace stanzagate::filters
