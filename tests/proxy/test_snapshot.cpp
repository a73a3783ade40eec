#include "tests/proxy/test_snapshot.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "config/load.hpp"

namespace stanzagate::proxy::testing {

std::shared_ptr<const Snapshot> snapshot_of(std::string_view toml) {
    config::Diagnostics diagnostics;
    auto config = config::load_text(toml, "test.toml", diagnostics);
    if (config)
        if (auto snapshot = load_snapshot(*std::move(config), diagnostics)) return snapshot;
    std::string errors = "the test's configuration is wrong:";
    for (auto const& diagnostic : diagnostics.all()) errors += "\n" + diagnostic.to_string();
    throw std::invalid_argument(errors);
}

std::shared_ptr<const Snapshot> usual_snapshot() {
    return snapshot_of(R"(
        [[listen]]
        address = "127.0.0.1:0"
        tls = "direct"
        [registration]
        url = "https://example.org/"
        [[host]]
        name = "example.org"
        self_signed = true
        upstream = "tcp://192.0.2.1:5222"
    )");
}

}  // namespace stanzagate::proxy::testing
