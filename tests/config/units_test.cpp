#include "config/units.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <ostream>
#include <string_view>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

template <class T>
std::optional<T> value(const Parsed<T>& parsed) {
    const T* found = std::get_if<T>(&parsed);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

struct DurationCase {
    const char* name;
    std::string_view text;
    std::optional<long long> milliseconds;
};

void PrintTo(const DurationCase& test, std::ostream* out) {
    *out << test.text;
}

class Duration : public testing::TestWithParam<DurationCase> {};

TEST_P(Duration, IsRead) {
    std::optional<long long> found;
    if (const auto duration = value(parse_duration(GetParam().text))) found = duration->count();
    EXPECT_EQ(found, GetParam().milliseconds);
}

INSTANTIATE_TEST_SUITE_P(
    All, Duration,
    testing::Values(
        DurationCase{"milliseconds", "500ms", 500}, DurationCase{"seconds", "30s", 30'000},
        DurationCase{"minutes", "5m", 300'000}, DurationCase{"hours", "2h", 7'200'000},
        DurationCase{"days", "1d", 86'400'000}, DurationCase{"zero", "0s", 0},
        DurationCase{"largest", "9223372036854775807ms", 9223372036854775807LL},
        DurationCase{"leading_zero", "030s", 30'000}, DurationCase{"bare", "30", std::nullopt},
        DurationCase{"empty", "", std::nullopt}, DurationCase{"unit_only", "s", std::nullopt},
        DurationCase{"negative", "-1s", std::nullopt}, DurationCase{"plus", "+1s", std::nullopt},
        DurationCase{"fraction", "1.5s", std::nullopt}, DurationCase{"space", "30 s", std::nullopt},
        DurationCase{"space_after", "30s ", std::nullopt},
        DurationCase{"capital", "30S", std::nullopt},
        DurationCase{"unknown_unit", "30sec", std::nullopt},
        DurationCase{"two_parts", "1m30s", std::nullopt},
        DurationCase{"one_too_large", "9223372036854775808ms", std::nullopt},
        DurationCase{"product_overflows", "106751991168d", std::nullopt},
        DurationCase{"number_overflows", "99999999999999999999s", std::nullopt}),
    NamedCase{});

struct SizeCase {
    const char* name;
    std::string_view text;
    std::optional<std::size_t> bytes;
};

void PrintTo(const SizeCase& test, std::ostream* out) {
    *out << test.text;
}

class Size : public testing::TestWithParam<SizeCase> {};

TEST_P(Size, IsRead) {
    EXPECT_EQ(value(parse_size(GetParam().text)), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(All, Size,
                         testing::Values(SizeCase{"bytes", "512B", 512},
                                         SizeCase{"kibibytes", "64KiB", 65'536},
                                         SizeCase{"mebibytes", "1MiB", 1'048'576},
                                         SizeCase{"gibibytes", "1GiB", 1'073'741'824},
                                         SizeCase{"zero", "0B", 0},
                                         SizeCase{"bare", "65536", std::nullopt},
                                         SizeCase{"decimal", "64KB", std::nullopt},
                                         SizeCase{"letter", "64K", std::nullopt},
                                         SizeCase{"lower", "64kib", std::nullopt},
                                         SizeCase{"fraction", "1.5MiB", std::nullopt},
                                         SizeCase{"overflow", "8589934592GiB", std::nullopt}),
                         NamedCase{});

struct RateCase {
    const char* name;
    std::string_view text;
    std::optional<double> per_second;
};

void PrintTo(const RateCase& test, std::ostream* out) {
    *out << test.text;
}

class Rate : public testing::TestWithParam<RateCase> {};

TEST_P(Rate, IsRead) {
    EXPECT_EQ(value(parse_rate(GetParam().text)), GetParam().per_second);
}

INSTANTIATE_TEST_SUITE_P(
    All, Rate,
    testing::Values(RateCase{"second", "20/s", 20.0}, RateCase{"minute", "90/m", 1.5},
                    RateCase{"hour", "900/h", 0.25}, RateCase{"zero", "0/s", 0.0},
                    RateCase{"bare", "20", std::nullopt}, RateCase{"unit_only", "/s", std::nullopt},
                    RateCase{"word", "20/sec", std::nullopt},
                    RateCase{"fraction", "0.5/s", std::nullopt},
                    RateCase{"negative", "-1/s", std::nullopt},
                    RateCase{"overflow", "99999999999999999999/s", std::nullopt}),
    NamedCase{});

TEST(Units, SayHowToWriteThem) {
    EXPECT_EQ(std::get<std::string>(parse_duration("30")),
              "\"30\" has no unit; write a whole number and its unit (ms, s, m, h or d), as in "
              "\"30s\"");
    EXPECT_EQ(std::get<std::string>(parse_size("64KB")),
              "\"64KB\": unknown unit \"KB\"; write a whole number and its unit (B, KiB, MiB or "
              "GiB), as in \"64KiB\"");
    EXPECT_EQ(std::get<std::string>(parse_size("99999999999GiB")),
              "\"99999999999GiB\" is too large");
}

TEST(Units, AreWrittenInTheLargestUnitThatDivides) {
    using namespace std::chrono_literals;
    EXPECT_EQ(duration_text(2h), "2h");
    EXPECT_EQ(duration_text(90s), "90s");
    EXPECT_EQ(duration_text(1500ms), "1500ms");
    EXPECT_EQ(duration_text(48h), "2d");
    EXPECT_EQ(duration_text(0s), "0s");
    EXPECT_EQ(duration_text(1min), "60s");
    EXPECT_EQ(duration_text(2min), "2m");
    EXPECT_EQ(duration_text(24h), "24h");
    EXPECT_EQ(size_text(1024), "1KiB");
    EXPECT_EQ(size_text(1'048'576), "1MiB");
    EXPECT_EQ(size_text(1000), "1000B");
}

}  // namespace
}  // namespace stanzagate::config
