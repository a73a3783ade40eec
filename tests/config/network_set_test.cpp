#include "config/network_set.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

using Texts = std::vector<std::string_view>;

Network network(std::string_view text) {
    const auto parsed = Network::parse(text);
    if (!parsed) ADD_FAILURE() << text << " is no network";
    return parsed.value_or(Network{});
}

std::vector<Network> networks(const Texts& texts) {
    std::vector<Network> result;
    for (const std::string_view text : texts) result.push_back(network(text));
    return result;
}

struct Case {
    const char* name;
    Texts networks;
    Texts inside;   // addresses and networks
    Texts outside;  // networks of which a part may be inside
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.name;
}

class NetworkSetTable : public testing::TestWithParam<Case> {};

TEST_P(NetworkSetTable, KnowsWhatIsInside) {
    const NetworkSet set(networks(GetParam().networks));
    EXPECT_EQ(set.size(), GetParam().networks.size());
    EXPECT_EQ(set.empty(), GetParam().networks.empty());
    const auto expect = [&](const Texts& texts, bool inside) {
        for (const std::string_view text : texts) {
            EXPECT_EQ(set.covers(network(text)), inside) << text;
            if (const auto address = Address::parse(text)) {
                EXPECT_EQ(set.contains(*address), inside) << text;
            }
        }
    };
    expect(GetParam().inside, true);
    expect(GetParam().outside, false);
}

INSTANTIATE_TEST_SUITE_P(
    All, NetworkSetTable,
    testing::Values(
        Case{"nothing", {}, {}, {"0.0.0.0", "::", "0.0.0.0/0", "::/0", "192.0.2.1"}},
        Case{"one_address",
             {"192.0.2.1"},
             {"192.0.2.1", "192.0.2.1/32", "::ffff:192.0.2.1"},
             {"192.0.2.0", "192.0.2.2", "192.0.2.0/31", "::192.0.2.1"}},
        Case{"one_network",
             {"192.0.2.0/24"},
             {"192.0.2.0", "192.0.2.255", "192.0.2.0/24", "192.0.2.128/25"},
             {"192.0.1.255", "192.0.3.0", "192.0.2.0/23", "0.0.0.0/0"}},
        Case{"all_v4",
             {"0.0.0.0/0"},
             {"0.0.0.0", "255.255.255.255", "0.0.0.0/0", "::ffff:0:0/96"},
             {"::", "::ffff", "::/0", "ffff::"}},
        Case{"all_v6",
             {"::/0"},
             {"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0", "8000::/1"},
             {"0.0.0.0", "255.255.255.255", "::ffff:192.0.2.1", "0.0.0.0/0"}},
        Case{"everything", {"0.0.0.0/0", "::/0"}, {"0.0.0.0/0", "::/0", "::1", "127.0.0.1"}, {}},
        Case{"halves_make_a_whole",
             {"128.0.0.0/1", "8000::/1", "0.0.0.0/1", "::/1"},
             {"0.0.0.0/0", "::/0", "127.255.255.255", "128.0.0.0", "127.255.255.255", "8000::"},
             {}},
        Case{"first_and_last_addresses",
             {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
             {"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
             {"0.0.0.1", "255.255.255.254", "::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"}},
        Case{"nested_in_the_first",
             {"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3"},
             {"10.0.0.0/8", "10.1.2.4", "10.255.255.255"},
             {"9.255.255.255", "11.0.0.0"}},
        Case{"doubles", {"192.0.2.1", "192.0.2.1"}, {"192.0.2.1"}, {"192.0.2.0", "192.0.2.2"}},
        Case{"neighbours_cover",
             {"192.0.2.128/25", "192.0.2.0/26", "192.0.2.64/26"},
             {"192.0.2.0/24"},
             {"192.0.2.0/23", "192.0.3.0"}},
        Case{"a_hole_is_not_covered",
             {"192.0.2.0/26", "192.0.2.128/25"},
             {"192.0.2.63", "192.0.2.128"},
             {"192.0.2.0/24", "192.0.2.64", "192.0.2.127"}},
        Case{"v6_across_the_middle",
             {"2001:db8:0:1::/64", "2001:db8:0:2::/64", "2001:db8:0:3::/64"},
             {"2001:db8:0:2::/63", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:2::"},
             {"2001:db8::/62", "2001:db8:0:0:ffff:ffff:ffff:ffff", "2001:db8:0:4::"}},
        Case{"v6_around_the_mapped",
             {"::fffe:0:0/96", "::1:0:0:0/80"},
             {"::fffe:ffff:ffff", "::1:0:0:0"},
             {"::ffff:192.0.2.1", "0.0.0.0"}},
        Case{"mapped_is_v4",
             {"::ffff:192.0.2.0/120"},
             {"192.0.2.7", "::ffff:192.0.2.7"},
             {"192.0.3.7", "::192.0.2.7"}}),
    NamedCase{});

TEST(NetworkSet, OverlapsWhatHasAnAddressInIt) {
    const auto network = [](std::string_view text) { return *Network::parse(text); };
    const NetworkSet set({network("192.0.2.0/24"), network("10.0.0.0/8"), network("2001:db8::1")});
    for (const std::string_view text : {"192.0.2.0/24", "192.0.2.255", "192.0.0.0/16", "0.0.0.0/0",
                                        "10.1.0.0/16", "::/0", "2001:db8::1", "2001:db8::/32"})
        EXPECT_TRUE(set.overlaps(network(text))) << text;
    for (const std::string_view text : {"192.0.3.0", "192.0.1.0/24", "9.0.0.0/8", "11.0.0.0",
                                        "255.255.255.255", "2001:db8::2", "::", "2001:db9::/32"})
        EXPECT_FALSE(set.overlaps(network(text))) << text;
    EXPECT_FALSE(NetworkSet().overlaps(network("0.0.0.0/0")));
}

// Random networks that crowd together, so that many of them nest, touch and overlap.
class Crowd {
public:
    explicit Crowd(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }

    Address address() {
        // A few values for each byte, its first and its last among them; few bytes that differ.
        constexpr std::array<std::uint8_t, 6> values{0, 0, 1, 0x7f, 0x80, 0xff};
        if (below(2) == 0) {
            Address::V4 bytes{};
            for (auto& byte : bytes) byte = values.at(below(values.size()));
            return Address::from(bytes);
        }
        Address::V6 bytes{};
        bytes.fill(values.at(below(values.size())));
        for (int i = 0; i < 3; ++i) bytes.at(below(16)) = values.at(below(values.size()));
        return Address::from(bytes);
    }

    Network network() {
        const Address base = address();
        const unsigned longest = base.is_v4() ? 32 : 128;
        // Short prefixes hold everything, so they are rare.
        const std::size_t least = below(20) == 0 ? 0 : longest / 4;
        return Network::of(base, static_cast<unsigned>(least + below(longest - least + 1)));
    }

private:
    std::mt19937 random_;
};

// The first and last address of a network, and the ones before and after them.
std::vector<Address> edges(const Network& network) {
    const auto bytes = network.base().bytes();
    std::vector<std::uint8_t> last(bytes.begin(), bytes.end());
    for (std::size_t bit = network.prefix_length(); bit < last.size() * 8; ++bit)
        last[bit / 8] |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    std::vector<std::uint8_t> before(bytes.begin(), bytes.end());
    for (std::size_t i = before.size(); i-- > 0 && before[i]-- == 0;) {
    }
    std::vector<std::uint8_t> after = last;
    for (std::size_t i = after.size(); i-- > 0 && ++after[i] == 0;) {
    }
    std::vector<Address> result{network.base()};
    for (const auto& edge : {last, before, after}) {
        Address::V4 v4{};
        Address::V6 v6{};
        if (edge.size() == v4.size()) {
            std::ranges::copy(edge, v4.begin());
            result.push_back(Address::from(v4));
        } else {
            std::ranges::copy(edge, v6.begin());
            result.push_back(Address::from(v6));
        }
    }
    return result;
}

bool naively_contains(const std::vector<Network>& networks, const Address& address) {
    return std::ranges::any_of(networks, [&](const Network& one) { return one.contains(address); });
}

// By halves, where no network holds it whole.
bool naively_covers(const std::vector<Network>& all, const Network& wanted) {
    std::vector<Network> near;
    for (const Network& one : all) {
        if (one.base().is_v4() != wanted.base().is_v4()) continue;
        if (one.prefix_length() <= wanted.prefix_length() && one.contains(wanted.base()))
            return true;
        if (wanted.contains(one.base())) near.push_back(one);
    }
    if (near.empty()) return false;
    const unsigned length = wanted.prefix_length() + 1;
    const auto bytes = wanted.base().bytes();
    Address::V4 v4{};
    Address::V6 v6{};
    const auto with_bit = [&](auto array) {
        std::ranges::copy(bytes, array.begin());
        array.at((length - 1) / 8) |= static_cast<std::uint8_t>(0x80U >> ((length - 1) % 8));
        return Network::of(Address::from(array), length);
    };
    const Network upper = bytes.size() == v4.size() ? with_bit(v4) : with_bit(v6);
    return naively_covers(near, Network::of(wanted.base(), length)) && naively_covers(near, upper);
}

TEST(NetworkSet, AnswersAsAskingEachNetworkWould) {
    std::size_t hits = 0;
    std::size_t misses = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        Crowd crowd(seed);
        std::vector<Network> all(crowd.below(seed % 3 == 0 ? 8 : 150));
        for (Network& one : all) one = crowd.network();
        const NetworkSet set(all);
        ASSERT_EQ(set.size(), all.size());

        std::vector<Address> asked;
        for (const Network& one : all)
            for (const Address& edge : edges(one)) asked.push_back(edge);
        for (int i = 0; i < 100; ++i) asked.push_back(crowd.address());
        for (const Address& address : asked) {
            const bool expected = naively_contains(all, address);
            ++(expected ? hits : misses);
            ASSERT_EQ(set.contains(address), expected) << address.to_string() << " seed " << seed;
        }
    }
    EXPECT_GT(hits, 10'000U);
    EXPECT_GT(misses, 10'000U);
}

TEST(NetworkSet, CoversAsTakingNetworksApartWould) {
    std::size_t covered = 0;
    std::size_t put_together = 0;
    for (unsigned seed = 0; seed < 300; ++seed) {
        Crowd crowd(seed);
        std::vector<Network> all(1 + crowd.below(60));
        for (Network& one : all) one = crowd.network();
        // Both halves of something, one of them in two parts.
        const Network whole = Network::of(Address::from(Address::V4{0x7f, 0x80}), 12);
        for (const auto& [second, length] : {std::pair{0x80, 14U}, {0x84, 14U}, {0x88, 13U}})
            all.push_back(Network::of(
                Address::from(Address::V4{0x7f, static_cast<std::uint8_t>(second)}), length));
        const NetworkSet set(all);
        EXPECT_TRUE(set.covers(whole));
        for (int i = 0; i < 200; ++i) {
            Network wanted = crowd.network();
            if (i % 2 == 0) {  // around something that is there
                const Network& one = all[crowd.below(all.size())];
                const auto wider = std::min<std::size_t>(one.prefix_length(), crowd.below(3));
                wanted =
                    Network::of(one.base(), one.prefix_length() - static_cast<unsigned>(wider));
            }
            const bool expected = naively_covers(all, wanted);
            covered += expected ? 1 : 0;
            put_together +=
                expected && std::ranges::none_of(all,
                                                 [&](const Network& one) {
                                                     return one.prefix_length() <=
                                                                wanted.prefix_length() &&
                                                            one.contains(wanted.base());
                                                 })
                    ? 1
                    : 0;
            ASSERT_EQ(set.covers(wanted), expected) << wanted.to_string() << " seed " << seed;
        }
    }
    EXPECT_GT(covered, 1000U);
    EXPECT_GT(put_together, 100U);
}

// Every number of ranges around the ends of the index's parts, and every place in them.
TEST(NetworkSet, FindsEveryRangeWhateverTheirNumber) {
    for (unsigned count = 0; count <= 70; ++count) {
        std::vector<Network> all;
        for (unsigned i = 0; i < count; ++i) {
            const auto third = static_cast<std::uint8_t>(2 * i + 1);
            all.push_back(Network::of(Address::from(Address::V4{10, 0, third, 0}), 24));
            Address::V6 v6{0x20, 0x01, 0x0d, 0xb8, third};
            all.push_back(Network::of(Address::from(v6), 40));
        }
        const NetworkSet set(all);
        for (unsigned third = 0; third <= 2 * count + 2; ++third) {
            const bool inside = third % 2 == 1 && third < 2 * count;
            const auto byte = static_cast<std::uint8_t>(third);
            EXPECT_EQ(set.contains(Address::from(Address::V4{10, 0, byte, 7})), inside);
            EXPECT_EQ(set.contains(Address::from(Address::V6{0x20, 0x01, 0x0d, 0xb8, byte, 1})),
                      inside);
        }
    }
}

TEST(NetworkSet, IsAValue) {
    const NetworkSet one(networks({"192.0.2.0/25", "192.0.2.128/25"}));
    NetworkSet other(networks({"192.0.2.128/25", "192.0.2.0/25"}));
    EXPECT_EQ(one, other);
    const NetworkSet moved = std::move(other);
    EXPECT_EQ(one, moved);
    EXPECT_NE(one, NetworkSet(networks({"192.0.2.0/24", "192.0.3.0/24"})));
    const NetworkSet copy = moved;  // NOLINT(performance-unnecessary-copy-initialization)
    EXPECT_TRUE(copy.contains(*Address::parse("192.0.2.200")));
}

TEST(NetworkSet, HoldsAMillionInAtMost64BytesEach) {
    constexpr std::size_t count = 1'000'000;
    std::mt19937_64 random(1);  // NOLINT(bugprone-random-generator-seed): the same every time
    std::vector<Network> all;
    all.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        // Scattered, so that hardly any two become one: the most it can take.
        Address::V6 bytes{};
        for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
        all.push_back(Network::of(Address::from(bytes), 128));
    }
    const Address last = all.back().base();
    const NetworkSet set(std::move(all));
    EXPECT_EQ(set.size(), count);
    EXPECT_TRUE(set.contains(last));
    EXPECT_LE(set.memory_bytes() / set.size(), 64U);
    EXPECT_GE(set.memory_bytes() / set.size(), 32U);
}

}  // namespace
}  // namespace stanzagate::config
