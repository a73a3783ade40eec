#pragma once

#include <cstddef>
#include <random>
#include <string_view>
#include <vector>

// Ways to cut bytes into pieces, as a network might. Pieces are views of the bytes.
namespace stanzagate::filters {

using Pieces = std::vector<std::string_view>;

// Pieces of `size` bytes; the last one may be shorter.
Pieces pieces_of(std::string_view bytes, std::size_t size);
// Two pieces, cut at `at`.
Pieces cut_at(std::string_view bytes, std::size_t at);
// Pieces of random sizes, mostly small.
Pieces random_pieces(std::string_view bytes, std::mt19937& random);

// Every size of piece from 1 to all, and every single cut.
std::vector<Pieces> every_split(std::string_view bytes);
// For what is long or played often: byte by byte, some sizes, some random ones, and whole.
std::vector<Pieces> some_splits(std::string_view bytes, unsigned seed);

}  // namespace stanzagate::filters
