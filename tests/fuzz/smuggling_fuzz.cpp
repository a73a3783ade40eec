#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/filters/test_config.hpp"
#include "tests/fuzz/require.hpp"
#include "tests/smuggling/comparison.hpp"

// Any bytes of a client's. Two parsers of other families read what the gate forwards of them as the
// gate has read it, and none of them finds a stranger's request to register in it.
//   byte 0: who the client is; the rest: the stream
namespace {

using namespace stanzagate;
using namespace stanzagate::smuggling;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto const config = filters::config_of();
    static filters::Policy const policy(config);
    if (size < 2) return 0;
    std::string const stream(data + 1, data + size);
    bool const is_stranger = data[0] % 2 == 0;
    auto const passage =
        pass(policy, is_stranger ? filters::stranger : filters::whitelisted, {stream});
    require(passage.broken_promise.empty(), passage.broken_promise, passage.forwarded);
    auto const document = passage.document();
    if (document.empty()) return 0;
    for (auto const& reading : {read_with_libxml2(document), read_with_xerces(document)}) {
        auto const found = difference(passage, reading);
        require(found.empty(), "all read the same, not " + found, document);
        if (!is_stranger) continue;
        for (auto const& element : reading.elements)
            require(!asks_to_register(element), "nothing leaks", document);
    }
    return 0;
}
