#include "filters/policy.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string_view>

#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {
namespace {

class PolicyTest : public testing::Test {
protected:
    Decision decide(std::string_view host, std::string_view from,
                    std::optional<std::string_view> other = std::nullopt,
                    RequestKind kind = RequestKind::get) const {
        auto const peer = peer_at(from);
        return policy_.decide({.host = host, .other_domain = other, .peer = peer, .kind = kind},
                              TestWorld());
    }
    const config::Registration* registration_of(std::string_view host) const {
        return &config_.find_host(host)->registration;
    }

    config::Config config_ = config_of();
    Policy policy_{config_};
};

TEST_F(PolicyTest, TheWhitelistForwards) {
    auto const decision = decide("example.org", whitelisted);
    EXPECT_EQ(decision.action, Action::forward);
    EXPECT_EQ(decision.rule, "whitelist");
    EXPECT_EQ(decision.registration, registration_of("example.org"));
}

TEST_F(PolicyTest, TheRestIsRedirected) {
    for (auto const kind : {RequestKind::get, RequestKind::set, RequestKind::flow}) {
        auto const decision = decide("example.org", stranger, std::nullopt, kind);
        EXPECT_EQ(decision.action, Action::redirect);
        EXPECT_EQ(decision.rule, "default");
        EXPECT_EQ(decision.registration, registration_of("example.org"));
    }
}

TEST_F(PolicyTest, NetworksAndTheirEdges) {
    EXPECT_EQ(decide("example.org", "192.0.2.0").action, Action::forward);
    EXPECT_EQ(decide("example.org", "192.0.2.255").action, Action::forward);
    EXPECT_EQ(decide("example.org", "192.0.3.0").action, Action::redirect);
    EXPECT_EQ(decide("example.org", "192.0.1.255").action, Action::redirect);
    EXPECT_EQ(decide("example.org", "::ffff:192.0.2.1").action, Action::forward);
    EXPECT_EQ(decide("example.org", "2001:db8:ffff::1").action, Action::forward);
    EXPECT_EQ(decide("example.org", "2001:db9::1").action, Action::redirect);
}

TEST_F(PolicyTest, LoopbackIsNotOnAWhitelistThatDoesNotNameIt) {
    EXPECT_EQ(decide("example.org", "127.0.0.1").action, Action::redirect);
    auto const defaults = config_of("[registration]\nurl = 'https://example.org/'\n");
    Policy const policy(defaults);
    for (auto const* const address : {"127.0.0.1", "::1"}) {
        auto const peer = peer_at(address);
        EXPECT_EQ(policy
                      .decide({.host = "example.org",
                               .other_domain = std::nullopt,
                               .peer = peer,
                               .kind = RequestKind::set},
                              TestWorld())
                      .action,
                  Action::forward);
    }
}

TEST_F(PolicyTest, AnUnknownAddressIsOnNoList) {
    EXPECT_EQ(decide("example.org", "").action, Action::redirect);
}

TEST_F(PolicyTest, AHostOverridesTheWhitelist) {
    auto const decision = decide("strict.example", whitelisted);
    EXPECT_EQ(decision.action, Action::redirect);
    EXPECT_EQ(decision.registration, registration_of("strict.example"));
}

TEST_F(PolicyTest, BothDomainsMustForward) {
    EXPECT_EQ(decide("example.org", whitelisted, "second.example").action, Action::forward);
    EXPECT_EQ(decide("example.org", whitelisted, "example.org").action, Action::forward);
    EXPECT_EQ(decide("example.org", whitelisted, "strict.example").action, Action::redirect);
    EXPECT_EQ(decide("strict.example", whitelisted, "example.org").action, Action::redirect);
    EXPECT_EQ(decide("example.org", whitelisted, "nowhere.example").action, Action::redirect);
    EXPECT_EQ(decide("example.org", stranger, "second.example").action, Action::redirect);
}

TEST_F(PolicyTest, TheFirstThatDoesNotForwardAnswers) {
    EXPECT_EQ(decide("example.org", whitelisted, "strict.example").registration,
              registration_of("strict.example"));
    EXPECT_EQ(decide("strict.example", whitelisted, "example.org").registration,
              registration_of("strict.example"));
    EXPECT_EQ(decide("example.org", stranger, "strict.example").registration,
              registration_of("example.org"));
    EXPECT_EQ(decide("example.org", whitelisted, "nowhere.example").registration,
              &config_.registration);
}

TEST(PolicyNames, AsInTheLog) {
    EXPECT_EQ(to_string(Action::forward), "forward");
    EXPECT_EQ(to_string(Action::redirect), "redirect");
    EXPECT_EQ(to_string(Action::refuse), "refuse");
    EXPECT_EQ(to_string(Action::close), "close");
    EXPECT_EQ(to_string(Transport::starttls), "starttls");
    EXPECT_EQ(to_string(Transport::direct), "direct");
    EXPECT_EQ(to_string(Transport::websocket), "websocket");
    EXPECT_EQ(to_string(Transport::bosh), "bosh");
    EXPECT_EQ(to_string(RequestKind::get), "get");
    EXPECT_EQ(to_string(RequestKind::set), "set");
    EXPECT_EQ(to_string(RequestKind::flow), "flow");
}

}  // namespace
}  // namespace stanzagate::filters
