// Any bytes as the two header fields of a trusted balancer. The input is lines; the first byte of
// each tells its field.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/forwarded_address.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace stanzagate;
using namespace stanzagate::proxy;
using Kind = ForwardedClient::Kind;

const config::Address peer = *config::Address::parse("10.0.0.1");
const std::vector<config::Network> believed{*config::Network::parse("10.0.0.0/8")};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<std::string_view> forwarded;
    std::vector<std::string_view> x_forwarded_for;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
        if (line.empty()) continue;
        (line[0] == 'F' ? forwarded : x_forwarded_for).push_back(line.substr(1));
    }
    const auto client = forwarded_client(peer, believed, {forwarded, x_forwarded_for});
    const bool told = client.kind == Kind::told;
    require(client.address.has_value() == (told || client.kind == Kind::peer));
    require(client.reason.empty() == (client.kind != Kind::refused));
    require((client.kind == Kind::peer) == (forwarded.empty() && x_forwarded_for.empty()));

    // Nobody is believed from elsewhere.
    const auto stranger = *config::Address::parse("192.0.2.1");
    require(forwarded_client(stranger, believed, {forwarded, x_forwarded_for}) ==
            ForwardedClient{Kind::peer, stranger, {}});

    // Where a balancer adds a line with the address that it sees, nothing that a client sent
    // before it matters.
    const std::string added = stranger.to_string();
    x_forwarded_for.push_back(added);
    std::size_t bytes = 0;
    for (const auto line : x_forwarded_for) bytes += line.size();
    if (bytes <= max_forwarded_bytes)
        require(forwarded_client(peer, believed, {{}, x_forwarded_for}) ==
                ForwardedClient{Kind::told, stranger, {}});
    // The same where it adds to the last line.
    x_forwarded_for.pop_back();
    if (x_forwarded_for.empty()) return 0;
    const std::string longer = std::string(x_forwarded_for.back()) + ", " + added;
    x_forwarded_for.back() = longer;
    if (bytes + 2 <= max_forwarded_bytes)
        require(forwarded_client(peer, believed, {{}, x_forwarded_for}) ==
                ForwardedClient{Kind::told, stranger, {}});
    return 0;
}
