#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/list_contents.hpp"
#include "config/load.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::filters {

// Rule files on disk, and a configuration that reads them. Its hosts: example.org and
// second.example have all of the rules in the order of the files' names; strict.example has them
// too, an empty whitelist and a text of its own; own.example has those of "own.toml" alone; names
// below wild.example are served as well.
class RulesFolder {
public:
    using Files = std::vector<std::pair<std::string, std::string>>;

    explicit RulesFolder(const Files& files) {
        for (auto const& [name, text] : files) folder_.write(name, text);
        if (!std::filesystem::exists(folder_.at("own.toml"))) folder_.write("own.toml", "");
        // A pattern has to match something.
        folder_.write("rules-0.toml", "");
    }
    // One file of rules.
    explicit RulesFolder(std::string_view rules)
        : RulesFolder(Files{{"rules-1.toml", std::string(rules)}}) {}

    config::Config load() const {
        config::Diagnostics diagnostics;
        auto const file = folder_.write("gate.toml", served);
        auto config = config::load(file, diagnostics);
        if (config) return *std::move(config);
        throw std::invalid_argument("the test's rules are wrong:" + all(diagnostics));
    }

    // What the files of its lists hold.
    static config::ListContents lists_of(const config::Config& config) {
        config::Diagnostics diagnostics;
        auto lists = config::read_lists(config, diagnostics);
        if (!diagnostics.all().empty())
            throw std::invalid_argument("the test's lists are wrong:" + all(diagnostics));
        return lists;
    }

private:
    static constexpr std::string_view served = R"(
server.geoip = "countries.mmdb"
[[listen]]
address = "127.0.0.1:0"
tls = "direct"
[registration]
url = "https://example.org/register"
whitelist = ["192.0.2.0/24", "2001:db8::/32"]
rules = ["rules-*.toml"]
[[host]]
name = "example.org"
self_signed = true
upstream = "tcp://10.0.0.1:5222"
[[host]]
name = "second.example"
self_signed = true
upstream = "tcp://10.0.0.2:5222"
[[host]]
name = "*.wild.example"
self_signed = true
upstream = "tcp://10.0.0.2:5222"
[[host]]
name = "strict.example"
self_signed = true
upstream = "tcp://10.0.0.3:5222"
[host.registration]
whitelist = []
text = "Ask at the desk of {host}."
[[host]]
name = "own.example"
self_signed = true
upstream = "tcp://10.0.0.4:5222"
[host.registration]
rules = ["own.toml"]
)";

    static std::string all(const config::Diagnostics& diagnostics) {
        std::string text;
        for (auto const& one : diagnostics.all()) text += "\n" + one.to_string();
        return text;
    }

    TemporaryFolder folder_;
};

}  // namespace stanzagate::filters
