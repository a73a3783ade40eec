// Where keys belong: the table of places and the readers must not part.
#include "config/key_places.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "config/readers.hpp"
#include "config/rule_keys.hpp"
#include "config/toml_value.hpp"

namespace stanzagate::config {
namespace {

// Every table that there is, empty: so that each reader asks for all of its keys.
constexpr std::string_view main_tables = R"(
[server]
log = {}
[limits]
[[listen]]
[http]
[registration]
[[host]]
upstream = {}
registration = {}
)";

std::set<std::string> placed(ConfigFile file) {
    std::set<std::string> keys;
    for (const KeyPlace& place : key_places()) {
        if (place.file != file) continue;
        for (const std::string_view key : place.keys) {
            std::string dotted(place.table);
            if (!dotted.empty()) dotted += '.';
            keys.insert(dotted + std::string(key));
        }
    }
    return keys;
}

TomlTable table_of(std::string_view text) {
    Diagnostics diagnostics;
    return std::get<TomlTable>(parse_toml(text, "a.toml", diagnostics).value().value);
}

TEST(KeyPlaces, AreTheKeysThatAreRead) {
    Diagnostics diagnostics;
    Reading reading{.diagnostics = diagnostics, .folder = {}};
    const TomlTable document = table_of(main_tables);
    read_config(Section(document, {}, "", reading));
    std::set<std::string> read = reading.known_keys;
    for (const std::string& key : reading.refused_keys) read.erase(key);
    EXPECT_EQ(placed(ConfigFile::main), read);
}

TEST(KeyPlaces, AreTheKeysOfRules) {
    Diagnostics diagnostics;
    Reading reading{.diagnostics = diagnostics, .folder = {}, .file = ConfigFile::rules};
    const TomlTable rule = table_of("quota = {}\n");
    read_rule(Section(rule, {}, "rule", reading));
    std::set<std::string> read = reading.known_keys;
    read.insert({"lists", "rule"});
    EXPECT_EQ(placed(ConfigFile::rules), read);
}

struct Misplaced {
    std::string_view key;
    ConfigFile file;
    std::string_view table;
    std::string_view hint;
};

TEST(KeyPlaces, SayWhereAKeyBelongs) {
    using enum ConfigFile;
    for (const auto& [key, file, table, hint] :
         {Misplaced{"whitelist", main, "host", "; it belongs in [host.registration]"},
          Misplaced{"whitelist", main, "server",
                    "; it belongs in [registration] or in [host.registration]"},
          Misplaced{"proxy_protocol", main, "host", "; it belongs in [host.upstream]"},
          Misplaced{"certificate", main, "", "; it belongs in [[host]]"},
          Misplaced{"registration", main, "limits",
                    "; it belongs at the top of the file or in [[host]]"},
          Misplaced{"quota", main, "host", "; it belongs in [[rule]] of a rule file"},
          Misplaced{"count", rules, "rule", "; it belongs in a rule's quota"},
          Misplaced{"name", rules, "", "; it belongs in [[rule]]"},
          Misplaced{"admins", rules, "rule",
                    "; it belongs in [registration] or in [host.registration] of the main "
                    "configuration"},
          Misplaced{"colour", main, "", ""}})
        EXPECT_EQ(where_it_belongs(key, file, table), hint);
}

}  // namespace
}  // namespace stanzagate::config
