#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "tests/filters/canonical.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/smuggling/corpus.hpp"
#include "tests/smuggling/passage.hpp"

// For the scenario that asks real servers: for each stream of the corpus a line of
//   name, verdict, what a server does with it, the stream, what is forwarded of a stranger's, and
//   of a whitelisted client's, and of each the elements that it consists of
// with tabs between them, the latter in hexadecimal, and commas between elements.
namespace {

using namespace stanzagate;

std::string hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (auto const character : bytes) {
        auto const byte = static_cast<unsigned char>(character);
        text += digits[byte / 16U];
        text += digits[byte % 16U];
    }
    return text;
}

std::string forwarded(const filters::Policy& policy, std::string_view peer,
                      const std::string& stream) {
    auto const passage = smuggling::pass(policy, peer, {stream});
    auto text = hex(passage.forwarded) + "\t";
    for (auto const& element : filters::canonical_elements(passage.document()))
        text += hex(element) + ",";
    return text;
}

}  // namespace

int main() try {
    auto const config = filters::config_of();
    filters::Policy const policy(config);
    for (auto const& stream : smuggling::corpus()) {
        auto const verdict = smuggling::pass(policy, filters::stranger, {stream.bytes}).verdict;
        auto const line = stream.name + "\t" + verdict + "\t" + stream.but + "\t" +
                          hex(stream.bytes) + "\t" +
                          forwarded(policy, filters::stranger, stream.bytes) + "\t" +
                          forwarded(policy, filters::whitelisted, stream.bytes);
        std::puts(line.c_str());
    }
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
