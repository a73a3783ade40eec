#include "proxy/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Where each file that is missing is named, and what it is.
constexpr std::string_view names_missing_files = R"(
[server]
geoip = "countries.mmdb"
ticket_keys = "tickets.key"
[[listen]]
address = "127.0.0.1:0"
[[host]]
name = "example.org"
certificate = "chain.pem"
key = "key.pem"
upstream = { address = "tls://192.0.2.1:5223", ca = "ca.pem" }
[registration]
url = "https://example.org/"
rules = "rules.toml"
)";

class SnapshotTest : public ::testing::Test {
protected:
    // Errors alone, without the folder.
    std::vector<std::string> errors_of(std::string_view toml) {
        auto const file = folder_.write("gate.toml", toml);
        config::Diagnostics diagnostics;
        EXPECT_EQ(load_snapshot(file, diagnostics), nullptr);
        std::vector<std::string> errors;
        for (auto const& one : diagnostics.sorted())
            if (one.severity == config::Severity::error)
                errors.push_back(one.where.file.substr(folder_.path().string().size() + 1) + ':' +
                                 std::to_string(one.where.line) + ": " + one.message);
        return errors;
    }

    TemporaryFolder folder_;
};

TEST_F(SnapshotTest, TellsOfAllFilesWhateverElseIsWrong) {
    folder_.write("rules.toml", "[lists]\nspam = { file = \"spam.txt\" }\n");
    auto const missing_files = errors_of(names_missing_files);
    ASSERT_THAT(missing_files,
                ElementsAre(AllOf(StartsWith("gate.toml:3:"), HasSubstr("countries.mmdb")),
                            AllOf(StartsWith("gate.toml:4:"), HasSubstr("tickets.key")),
                            AllOf(StartsWith("gate.toml:9:"), HasSubstr("chain.pem")),
                            AllOf(StartsWith("gate.toml:10:"), HasSubstr("key.pem")),
                            AllOf(StartsWith("gate.toml:11:"), HasSubstr("ca.pem")),
                            AllOf(StartsWith("rules.toml:2:"), HasSubstr("spam.txt"))));
    auto errors = errors_of(std::string(names_missing_files) + "wrong = 1\n");
    ASSERT_EQ(errors.size(), missing_files.size() + 1);
    EXPECT_THAT(errors[5], HasSubstr("registration.wrong: unknown key"));
    errors.erase(errors.begin() + 5);
    EXPECT_EQ(errors, missing_files);
}

TEST_F(SnapshotTest, WhatCouldNotBeReadIsNotLookedFor) {
    folder_.write("rules.toml", "[lists]\nspam = { file = \"\" }\nten = { flie = \"ten.txt\" }\n");
    EXPECT_THAT(errors_of(R"([server]
geoip = 1
ticket_keys = ""
[[listen]]
address = "127.0.0.1:0"
[[host]]
name = "no host"
certificate = "a.pem"
key = "a.key"
upstream = { address = "tls:/192.0.2.1:5223", ca = 1 }
[[host]]
name = "example.org"
certificate = ["b.pem", ""]
key = ["b.key"]
upstream = "tcp://192.0.2.1:5222"
[registration]
url = "https://example.org/"
rules = "rules.toml"
)"),
                ElementsAre(StartsWith("gate.toml:2: server.geoip: "),
                            StartsWith("gate.toml:3: server.ticket_keys: "),
                            StartsWith("gate.toml:7: host.name: "),
                            StartsWith("gate.toml:10: host.upstream.address: "),
                            StartsWith("gate.toml:10: host.upstream.ca: "),
                            StartsWith("gate.toml:13: host.certificate: "),
                            StartsWith("rules.toml:2: lists.spam.file: "),
                            StartsWith("rules.toml:3: lists.ten.file: "),
                            StartsWith("rules.toml:3: lists.ten.flie: ")));
}

TEST_F(SnapshotTest, TextThatIsNoTomlIsOneError) {
    EXPECT_THAT(errors_of("[server\n"), ElementsAre(StartsWith("gate.toml:1: ")));
}

}  // namespace
}  // namespace stanzagate::proxy
