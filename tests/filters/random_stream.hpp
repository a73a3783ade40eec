#pragma once

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace stanzagate::filters {

// Writes random XMPP streams that are right and that no gate has anything to say about: namespaces,
// prefixes, both quotes, entities, references, CDATA, characters of every length, odd white space.
class RandomStream {
public:
    explicit RandomStream(unsigned seed) : random_(seed) {}

    std::string client_header();
    std::string upstream_header();
    // <stream:features/> without a child that would be edited.
    std::string features();
    // A first-level element, or white space between two of them.
    std::string element();
    std::string filler();
    // Anything, as it goes by after authentication.
    std::string noise(std::size_t size);

    unsigned below(unsigned bound) { return static_cast<unsigned>(random_()) % bound; }
    std::mt19937& generator() { return random_; }

private:
    template <typename Item>
    Item one_of(const std::vector<Item>& items) {
        return items[below(static_cast<unsigned>(items.size()))];
    }
    std::string space(bool needed);
    std::string quoted(const std::string& value);
    std::string text(char quote);
    std::string content(unsigned depth);
    std::string nested(unsigned depth, const std::string& name);

    std::mt19937 random_;
    unsigned ids_ = 0;
};

}  // namespace stanzagate::filters
