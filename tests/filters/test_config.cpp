#include "tests/filters/test_config.hpp"

#include <stdexcept>
#include <string>

#include "config/load.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view doors_and_hosts = R"(
[[listen]]
address = "127.0.0.1:0"
tls = "direct"

[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://10.0.0.1:5222"

[[host]]
name = "second.example"
self_signed = true
upstream = "tcp://10.0.0.2:5222"

[[host]]
name = "strict.example"
self_signed = true
upstream = "tcp://10.0.0.3:5222"
[host.registration]
whitelist = []
text = "Ask at the desk of {host}."
)";

}  // namespace

config::Config config_of(std::string_view settings) {
    config::Diagnostics diagnostics;
    auto text = std::string(settings);
    text += doors_and_hosts;
    auto config = config::load_text(text, "test.toml", diagnostics);
    if (config) return *config;
    std::string errors = "the test's configuration is wrong:";
    for (auto const& diagnostic : diagnostics.all()) errors += "\n" + diagnostic.to_string();
    throw std::invalid_argument(errors);
}

Peer peer_at(std::string_view address, Transport transport) {
    return {config::Address::parse(address), transport};
}

}  // namespace stanzagate::filters
