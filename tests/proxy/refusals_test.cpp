#include "proxy/refusals.hpp"
#include "tests/proxy/captured_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using Refusal = Admission::Refusal;

config::Address address(const std::string& text) {
    return config::Address::parse(text).value();
}

class RefusalsTest : public ::testing::Test {
protected:
    void pass(std::chrono::seconds time) {
        deadlines_.pass(time);
        deadlines_.run();
    }
    // What the log says in all, line by line, from the reason on.
    std::vector<std::string> said() {
        auto lines = logged_.lines();
        for (auto& line : lines) line.erase(0, line.find("reason="));
        return lines;
    }
    using Said = std::vector<std::string>;

    Deadlines deadlines_;
    testing::CapturedLog logged_;
    Log log_{{}};
    Refusals refusals_{deadlines_, log_};
};

TEST_F(RefusalsTest, TheFirstIsSaidAtOnceAndNoneIsLost) {
    for (int second = 0; second < 3; ++second) {
        for (int i = 0; i < 100; ++i) refusals_.add(Refusal::connect_rate, address("192.0.2.1"));
        pass(1s);
    }
    refusals_.add(Refusal::connect_rate, address("192.0.2.2"));
    refusals_.add(Refusal::connections_per_address, address("192.0.2.1"));
    log_.tell_repeats(Repeats::Clock::time_point::max());
    EXPECT_EQ(said(),
              (Said{"reason=connect_rate peer=192.0.2.1", "reason=connect_rate peer=192.0.2.2",
                    "reason=connections_per_address peer=192.0.2.1",
                    "reason=connect_rate peer=192.0.2.1 repeated=299"}));
}

TEST_F(RefusalsTest, WhereTheGateIsFullNobodyIsNamed) {
    refusals_.add(Refusal::connections, address("192.0.2.1"));
    refusals_.add(Refusal::connections, address("192.0.2.2"));
    refusals_.tell();
    log_.tell_repeats(Repeats::Clock::time_point::max());
    EXPECT_EQ(said(), (Said{"reason=connections", "reason=connections repeated=1"}));
}

// With more addresses than the table holds, the log is told of each, and counts them.
TEST_F(RefusalsTest, OfMoreThanCanBeKeptNoneIsLost) {
    auto const many = static_cast<std::uint8_t>(200);
    std::size_t added = 0;
    for (std::uint8_t net = 0; net < 4; ++net)
        for (std::uint8_t host = 0; host < many; ++host)
            for (int i = 0; i < 2; ++i, ++added)
                refusals_.add(Refusal::connect_rate,
                              config::Address::from(config::Address::V4{10, 0, net, host}));
    pass(1s);
    log_.tell_repeats(Repeats::Clock::time_point::max());
    std::size_t counted = 0;
    for (auto const& line : said()) {
        auto const at = line.find("repeated=");
        counted += at == std::string::npos ? 1 : std::stoul(line.substr(at + 9));
    }
    EXPECT_EQ(counted, added);
}

}  // namespace
}  // namespace stanzagate::proxy
