// The index finds what a scan of all hosts finds.
#include "config/host_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "config/host_name.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

HostPattern pattern(std::string_view text) {
    return std::get<HostPattern>(parse_host_pattern(text));
}

// The definition: the closest of all that match, the first of equals.
std::optional<std::size_t> scan(const std::vector<HostPattern>& patterns, std::string_view name) {
    const auto closeness = [](const HostPattern& one) {
        return one.kind == HostPattern::Kind::exact ? std::string_view::npos : one.name.size();
    };
    std::optional<std::size_t> closest;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (!patterns[i].matches(name)) continue;
        if (!closest || closeness(patterns[i]) > closeness(patterns[*closest])) closest = i;
    }
    return closest;
}

HostIndex index_of(const std::vector<HostPattern>& patterns) {
    HostIndex index;
    for (std::size_t i = 0; i < patterns.size(); ++i) index.add(patterns[i], i);
    return index;
}

// Names of few different labels, so that many of them are below others.
class Names {
public:
    std::string next() {
        constexpr std::array<std::string_view, 6> labels{"a", "bb", "ccc", "org", "example", "B"};
        std::string name;
        for (std::size_t left = 1 + below(6); left > 0; --left) {
            name += labels[below(labels.size())];
            if (left > 1) name += '.';
        }
        return name;
    }
    std::size_t below(std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }

private:
    std::mt19937 random_{7};
};

TEST(HostIndex, FindsWhatAScanFinds) {
    Names names;
    for (const bool with_any : {false, true}) {
        std::vector<HostPattern> patterns;
        if (with_any) patterns.push_back(pattern("*"));
        while (patterns.size() < 1'000)
            patterns.push_back(pattern((names.below(3) == 0 ? "*." : "") + names.next()));
        const HostIndex index = index_of(patterns);
        EXPECT_EQ(index.size(), patterns.size());
        std::size_t found = 0;
        for (int i = 0; i < 5'000; ++i) {
            const std::string name = names.next();
            const auto place = index.find(name);
            ASSERT_EQ(place, scan(patterns, name)) << name;
            if (place) ++found;
        }
        EXPECT_GT(found, 2'000U);
    }
}

TEST(HostIndex, TakesStrangeNamesAsAScanDoes) {
    const std::vector<HostPattern> patterns{pattern("*.org"), pattern("*.b.org"), pattern("b.org")};
    const HostIndex index = index_of(patterns);
    for (const std::string_view name :
         {"", ".", "..", ".org", "..org", "a.org", ".b.org", "..b.org", "a..b.org", "org", "org.",
          "a.org.", "b.org", ".a.b.org", "aa.b.org", "B.ORG", "x.B.Org", "xb.org"})
        EXPECT_EQ(index.find(name), scan(patterns, name)) << name;
}

// 16 KiB of dots must not cost 16 KiB of hashing for each of them.
TEST(HostIndex, FindsAWildcardBehindManyDots) {
    const std::vector<HostPattern> patterns{pattern("*.b.org"), pattern("*.org")};
    const HostIndex index = index_of(patterns);
    const std::string dots(16'384, '.');
    EXPECT_EQ(index.find(dots + "b.org"), scan(patterns, dots + "b.org"));
    EXPECT_EQ(index.find(dots + "b.org"), 0U);
    EXPECT_EQ(index.find(dots + "c.org"), 1U);
    EXPECT_EQ(index.find(dots), std::nullopt);
}

struct CoverCase {
    const char* name;
    std::string_view wide;
    std::string_view narrow;
    bool covers;
};

void PrintTo(const CoverCase& test, std::ostream* out) {
    *out << test.wide << " covers " << test.narrow;
}

class HostPatternCovers : public testing::TestWithParam<CoverCase> {};

TEST_P(HostPatternCovers, EveryNameOfTheOther) {
    EXPECT_EQ(pattern(GetParam().wide).covers(pattern(GetParam().narrow)), GetParam().covers);
}

INSTANTIATE_TEST_SUITE_P(
    All, HostPatternCovers,
    testing::Values(CoverCase{"same", "a.org", "A.org", true},
                    CoverCase{"other", "a.org", "b.org", false},
                    CoverCase{"exact_not_below", "a.org", "x.a.org", false},
                    CoverCase{"exact_not_wildcard", "a.org", "*.a.org", false},
                    CoverCase{"wildcard_below", "*.a.org", "x.a.org", true},
                    CoverCase{"wildcard_far_below", "*.a.org", "y.x.a.org", true},
                    CoverCase{"wildcard_not_parent", "*.a.org", "a.org", false},
                    CoverCase{"wildcard_same", "*.a.org", "*.a.org", true},
                    CoverCase{"wildcard_narrower", "*.a.org", "*.x.a.org", true},
                    CoverCase{"wildcard_wider", "*.x.a.org", "*.a.org", false},
                    CoverCase{"wildcard_not_any", "*.a.org", "*", false},
                    CoverCase{"any_exact", "*", "a.org", true},
                    CoverCase{"any_wildcard", "*", "*.a.org", true},
                    CoverCase{"any_any", "*", "*", true}),
    NamedCase{});

}  // namespace
}  // namespace stanzagate::config
