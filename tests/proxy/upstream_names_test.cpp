#include "proxy/upstream_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/sockets.hpp"

namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using config::Endpoint;
using Times = UpstreamNames::Times;
using Endpoints = std::vector<Endpoint>;

config::UpstreamAddress upstream_at(const std::string& host, std::uint16_t port = 5222) {
    return {config::UpstreamScheme::tcp, host, port};
}

Endpoint at(std::string_view address) {
    return {config::Address::parse(address).value(), 5222};
}

// What one who asked was told, if he was.
struct Told {
    Endpoints endpoints;
    std::string error;
};
using Asker = std::shared_ptr<std::optional<Told>>;

// A name server that answers when the test says so; whoever asks it is kept until then.
class UpstreamNamesTest : public ::testing::Test {
protected:
    void begin(Times times) {
        names_.emplace(
            loop_,
            [this](auto const& host, auto port, auto done) {
                questions_.push_back(host + ':' + std::to_string(port));
                asked_.push_back(std::move(done));
            },
            log_, times);
    }

    Asker ask(const std::string& host = "xmpp.example", std::uint16_t port = 5222) {
        auto told = std::make_shared<std::optional<Told>>();
        names_->resolve(upstream_at(host, port), [told](auto const& endpoints, auto error) {
            EXPECT_FALSE(*told) << "told twice";
            *told = {endpoints, std::string(error)};
        });
        return told;
    }
    void answer(const Endpoints& endpoints, std::string_view error = {}) {
        ASSERT_FALSE(asked_.empty());
        std::exchange(asked_, {}).front()(endpoints, error);
        loop_.run_once(0ms);
    }
    void fail() { answer({}, "the name server is away"); }
    // Asks, is answered, and what was found is known from then on.
    void know(const Endpoints& endpoints) {
        auto const first = ask();
        answer(endpoints);
        ASSERT_TRUE(*first);
        EXPECT_EQ((*first)->endpoints, endpoints);
    }
    bool is_told(const Asker& asker) {
        return testing::eventually([&] { return asker->has_value(); },
                                   [&] { loop_.run_once(10ms); });
    }

    testing::CapturedLog logged_;
    Log log_{config::LogSettings{}};
    EventLoop loop_;
    std::optional<UpstreamNames> names_;
    std::vector<std::string> questions_;
    std::vector<UpstreamNames::Done> asked_;  // not answered yet
};

const Endpoints first_addresses{at("192.0.2.1"), at("2001:db8::1")};
const Endpoints other_addresses{at("192.0.2.2")};

TEST_F(UpstreamNamesTest, LiteralsAreNotLookedUp) {
    begin({});
    for (auto const* const literal : {"192.0.2.1", "2001:db8::1"}) {
        auto const asker = ask(literal);
        ASSERT_TRUE(*asker) << literal;
        EXPECT_EQ((*asker)->endpoints, Endpoints{at(literal)});
        EXPECT_EQ((*asker)->error, "");
    }
    EXPECT_TRUE(questions_.empty());
}

TEST_F(UpstreamNamesTest, WhatWasFoundIsKnownForAWhile) {
    begin({.fresh = 1h});
    know(first_addresses);
    auto const second = ask();
    ASSERT_TRUE(*second) << "at once";
    EXPECT_EQ((*second)->endpoints, first_addresses);
    EXPECT_EQ(questions_, std::vector<std::string>{"xmpp.example:5222"});
}

TEST_F(UpstreamNamesTest, HoweverManyAskOneLookUpIsUnderWay) {
    begin({});
    std::vector<Asker> const askers{ask(), ask(), ask()};
    EXPECT_EQ(questions_.size(), 1U);
    for (auto const& asker : askers) EXPECT_FALSE(*asker);
    answer(first_addresses);
    for (auto const& asker : askers) {
        ASSERT_TRUE(*asker);
        EXPECT_EQ((*asker)->endpoints, first_addresses);
    }
}

TEST_F(UpstreamNamesTest, NamesAndPortsAreToldApart) {
    begin({});
    ask("a.example");
    ask("b.example");
    ask("a.example", 5223);
    EXPECT_EQ(questions_,
              (std::vector<std::string>{"a.example:5222", "b.example:5222", "a.example:5223"}));
}

TEST_F(UpstreamNamesTest, WhatIsOldIsLookedUpAgain) {
    begin({.fresh = 0ms, .patience = 1h});
    know(first_addresses);
    auto const second = ask();
    EXPECT_FALSE(*second) << "who asks waits for what is new";
    answer(other_addresses);
    ASSERT_TRUE(*second);
    EXPECT_EQ((*second)->endpoints, other_addresses);
}

TEST_F(UpstreamNamesTest, WhatWasNeverFoundSaysWhy) {
    begin({});
    auto const asker = ask();
    fail();
    ASSERT_TRUE(*asker);
    EXPECT_TRUE((*asker)->endpoints.empty());
    EXPECT_EQ((*asker)->error, "the name server is away");
    auto const next = ask();
    EXPECT_EQ(questions_.size(), 2U) << "it is tried again for the next one";
    answer(first_addresses);
    ASSERT_TRUE(*next);
    EXPECT_EQ((*next)->endpoints, first_addresses);
    EXPECT_EQ(logged_.text(), "") << "each session that fails says so by itself";
}

TEST_F(UpstreamNamesTest, AFailureLeavesWhatWasKnown) {
    begin({.fresh = 0ms, .patience = 1h, .retry = 1h});
    know(first_addresses);
    auto const second = ask();
    fail();
    ASSERT_TRUE(*second);
    EXPECT_EQ((*second)->endpoints, first_addresses);
    EXPECT_EQ((*second)->error, "");
    auto const third = ask();
    ASSERT_TRUE(*third) << "at once, until it is time to try again";
    EXPECT_EQ((*third)->endpoints, first_addresses);
    EXPECT_EQ(questions_.size(), 2U);
}

TEST_F(UpstreamNamesTest, WhoIsKeptWaitingGetsWhatWasKnown) {
    begin({.fresh = 0ms, .patience = 20ms});
    know(first_addresses);
    auto const second = ask();
    EXPECT_FALSE(*second);
    ASSERT_TRUE(is_told(second));
    EXPECT_EQ((*second)->endpoints, first_addresses);
    auto const third = ask();
    ASSERT_TRUE(*third) << "nobody waits for it any more";
    EXPECT_EQ(questions_.size(), 2U);
    answer(other_addresses);
    auto const fourth = ask();
    EXPECT_FALSE(*fourth) << "the next look-up gets patience again";
}

TEST_F(UpstreamNamesTest, WithNothingKnownThereIsNoEndOfPatience) {
    begin({.fresh = 0ms, .patience = 0ms});
    auto const asker = ask();
    for (int i = 0; i < 5; ++i) loop_.run_once(10ms);
    EXPECT_FALSE(*asker);
    answer(first_addresses);
    EXPECT_TRUE(*asker);
}

TEST_F(UpstreamNamesTest, FailingIsToldOfOnceAndSoIsItsEnd) {
    begin({.fresh = 0ms, .patience = 1h, .retry = 0ms});
    know(first_addresses);
    for (int i = 0; i < 3; ++i) {
        ask();
        fail();
    }
    ask();
    answer(other_addresses);
    ask();
    answer(other_addresses);
    auto const log = logged_.text();
    auto const at_failure = log.find("event=name_lookup_failed name=xmpp.example");
    auto const at_end = log.find("event=name_lookup_resumed name=xmpp.example");
    EXPECT_NE(at_failure, std::string::npos) << log;
    EXPECT_NE(at_end, std::string::npos) << log;
    EXPECT_LT(at_failure, at_end);
    EXPECT_EQ(log.find("name_lookup", at_end + 20), std::string::npos) << log;
    EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 2) << log;
}

// As one does whose next address has the same name.
TEST_F(UpstreamNamesTest, WhoIsToldMayAskAgain) {
    begin({.fresh = 0ms, .patience = 1h});
    Asker again;
    names_->resolve(upstream_at("xmpp.example"), [&](auto const&, auto) { again = ask(); });
    fail();
    ASSERT_TRUE(again);
    EXPECT_FALSE(*again) << "it is looked up anew";
    answer(first_addresses);
    ASSERT_TRUE(*again);
    EXPECT_EQ((*again)->endpoints, first_addresses);
}

}  // namespace
}  // namespace stanzagate::proxy
