#include "proxy/countries.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>

#include "tests/proxy/mmdb_writer.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::proxy {
namespace {

using testing::MmdbWriter;
namespace mmdb = testing::mmdb;

MmdbWriter some_countries() {
    MmdbWriter writer;
    writer.add_country("192.0.2.0/24", "SE", "NO");
    writer.add_country("192.0.2.128/25", "NO");
    writer.add_country("192.0.2.200", "DK");
    writer.add_country("198.51.100.0/24", "", "US");
    writer.add_country("2001:db8::/32", "FI");
    writer.add_country("2001:db8:1::/48", "is");
    writer.add_country("203.0.113.0/27", "Sweden");
    writer.add("203.0.113.32/27", mmdb::map({{"country", mmdb::text("SE")}}));
    writer.add("203.0.113.64/27",
               mmdb::map({{"country", mmdb::map({{"iso_code", mmdb::number(46, 2)}})}}));
    writer.add("203.0.113.96/27", mmdb::text("SE"));
    writer.add_country("203.0.113.128/27", "S1");
    return writer;
}

class CountriesTest : public ::testing::Test {
protected:
    std::shared_ptr<const Countries> load(const std::filesystem::path& file) {
        diagnostics_ = {};
        return Countries::load(file, {"gate.toml", 3, 1}, diagnostics_);
    }
    std::shared_ptr<const Countries> load_text(std::string_view text) {
        return load(folder_.write("countries.mmdb", text));
    }
    // What is wrong, in one line.
    std::string wrong() const {
        std::string lines;
        for (auto const& one : diagnostics_.all()) lines += one.to_string();
        return lines;
    }

    TemporaryFolder folder_;
    config::Diagnostics diagnostics_;
};

std::string country_of(const Countries& countries, std::string_view address) {
    return countries.of(config::Address::parse(address).value());
}

TEST_F(CountriesTest, OfAddresses) {
    auto const countries = load_text(some_countries().write());
    ASSERT_TRUE(countries) << wrong();
    EXPECT_EQ(wrong(), "");
    struct Case {
        const char* address;
        const char* country;
    };
    for (auto const& [address, country] : {
             Case{"192.0.2.0", "SE"}, {"192.0.2.127", "SE"},
             {"192.0.2.128", "NO"},   {"192.0.2.199", "NO"},
             {"192.0.2.200", "DK"},   {"192.0.2.201", "NO"},
             {"192.0.2.255", "NO"},   {"192.0.3.0", ""},
             {"192.0.1.255", ""},     {"0.0.0.0", ""},
             {"255.255.255.255", ""}, {"::ffff:192.0.2.1", "SE"},
             {"198.51.100.1", ""},  // known is only where its owner is registered
             {"2001:db8::1", "FI"},   {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "FI"},
             {"2001:db8:1::1", "IS"},  // upper case
             {"2001:db9::1", ""},     {"2001:db7:ffff::1", ""},
             {"203.0.113.1", ""},    // no code
             {"203.0.113.33", ""},   // not a map
             {"203.0.113.65", ""},   // not a text
             {"203.0.113.97", ""},   // not a map either
             {"203.0.113.129", ""},  // no letter
         })
        EXPECT_EQ(country_of(*countries, address), country) << address;
}

// What a program that writes to the file, in whatever way, does to a gate that uses it.
TEST_F(CountriesTest, WhatBecomesOfTheFileDoesNotMatter) {
    auto const file = folder_.write("countries.mmdb", some_countries().write());
    auto const countries = load(file);
    ASSERT_TRUE(countries) << wrong();
    std::filesystem::resize_file(file, 0);
    EXPECT_EQ(country_of(*countries, "192.0.2.1"), "SE");
    folder_.write("countries.mmdb", std::string(100'000, '\xff'));
    EXPECT_EQ(country_of(*countries, "2001:db8::1"), "FI");
    std::filesystem::remove(file);
    EXPECT_EQ(country_of(*countries, "192.0.2.200"), "DK");
}

TEST_F(CountriesTest, OneThatIsReplacedLivesOnBesideTheNew) {
    auto const before = load_text(some_countries().write());
    MmdbWriter writer;
    writer.add_country("192.0.2.0/24", "FR");
    auto const after = load_text(writer.write());
    ASSERT_TRUE(before && after) << wrong();
    EXPECT_EQ(country_of(*before, "192.0.2.1"), "SE");
    EXPECT_EQ(country_of(*after, "192.0.2.1"), "FR");
}

TEST_F(CountriesTest, LargeFilesAreCopiedWhole) {
    MmdbWriter writer;
    for (int i = 0; i < 256; ++i)
        for (int j = 0; j < 16; ++j)
            writer.add_country("10." + std::to_string(i) + '.' + std::to_string(j) + ".0/24", "SE");
    writer.add_country("192.0.2.0/24", "NO");
    auto const text = writer.write();
    ASSERT_GT(text.size(), 200'000U);
    auto const countries = load_text(text);
    ASSERT_TRUE(countries) << wrong();
    EXPECT_EQ(country_of(*countries, "10.255.15.1"), "SE");
    EXPECT_EQ(country_of(*countries, "192.0.2.1"), "NO");
}

TEST_F(CountriesTest, AnotherKindIsWarnedOf) {
    auto const countries = load_text(some_countries().write("GeoLite2-ASN"));
    EXPECT_TRUE(countries);
    EXPECT_FALSE(diagnostics_.has_errors());
    EXPECT_NE(wrong().find("gate.toml:3:1: warning: "), std::string::npos) << wrong();
    EXPECT_NE(wrong().find("\"GeoLite2-ASN\", which may know no countries"), std::string::npos);
    for (auto const* const good : {"GeoIP2-City", "DBIP-Country-Lite", "GeoIP2-Enterprise"}) {
        load_text(some_countries().write(good));
        EXPECT_EQ(wrong(), "") << good;
    }
}

TEST_F(CountriesTest, NoDatabase) {
    auto const whole = some_countries().write();
    auto const expect_error = [this](const std::filesystem::path& file, std::string_view why) {
        EXPECT_FALSE(load(file));
        EXPECT_TRUE(wrong().starts_with("gate.toml:3:1: error: server.geoip: cannot read \"" +
                                        file.string()))
            << wrong();
        EXPECT_NE(wrong().find(why), std::string::npos) << wrong();
    };
    expect_error(folder_.path() / "missing", "No such file or directory");
    expect_error(folder_.path(), "it is not a file");
    ASSERT_EQ(::mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
    expect_error(folder_.path() / "fifo", "it is not a file");
    constexpr std::string_view no_database = "no database in the MaxMind DB format";
    expect_error(folder_.write("empty", ""), "cannot read");
    expect_error(folder_.write("garbage", std::string(5000, 'x')), no_database);
    expect_error(folder_.write("half", whole.substr(0, whole.size() / 2)), no_database);
    auto const metadata = whole.find("MaxMind.com");
    expect_error(folder_.write("no_end", whole.substr(0, metadata)), no_database);
    expect_error(folder_.write("no_metadata", whole.substr(0, metadata + 11)), "cannot read");
}

// Wherever a file was cut, or a byte of it turned, looking something up is safe. The metadata stay
// whole, for libmaxminddb 1.7.1 leaks a few KiB where it cannot read them.
TEST_F(CountriesTest, DamagedInAnyPlace) {
    auto const whole = some_countries().write();
    auto const look = [this](std::string_view text) {
        auto const countries = load_text(text);
        if (!countries) {
            EXPECT_TRUE(diagnostics_.has_errors());
            return;
        }
        for (auto const* const address : {"192.0.2.1", "192.0.2.200", "2001:db8:1::1", "::"})
            EXPECT_TRUE(country_of(*countries, address).size() <= 2);
    };
    auto const metadata = whole.find("\xab\xcd\xefMaxMind.com");
    for (std::size_t at = 0; at < metadata; at += 7) {
        look(whole.substr(0, at));
        look(whole.substr(0, at) + whole.substr(metadata));
    }
    for (std::size_t at = 0; at < metadata; at += 3) {
        auto turned = whole;
        turned[at] = static_cast<char>(~turned[at]);
        look(turned);
    }
}

}  // namespace
}  // namespace stanzagate::proxy
