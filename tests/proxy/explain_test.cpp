#include "proxy/explain.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "tests/proxy/test_snapshot.hpp"

namespace stanzagate::proxy {
namespace {

using filters::Action;
using filters::RequestKind;

config::Address address(const char* text) {
    return config::Address::parse(text).value();
}

class ExplainTest : public ::testing::Test {
protected:
    Explanation ask(const std::string& host, const char* from,
                    RequestKind request = RequestKind::get, const std::string& lang = {}) const {
        return explain({snapshot_->config, snapshot_->lists()},
                       {host, address(from), request, filters::Transport::starttls, lang, false});
    }

    std::shared_ptr<const Snapshot> snapshot_ = testing::snapshot_of(R"(
        [[listen]]
        address = "127.0.0.1:0"
        [registration]
        url = "https://example.org/?a=b&c"
        text = { en = "Go to {url}.", sv = "Gå till {url}." }
        whitelist = ["192.0.2.0/24", "2001:db8::/32"]
        [[host]]
        name = "example.org"
        self_signed = true
        upstream = "tcp://192.0.2.1:5222"
        [[host]]
        name = "*.closed.example"
        self_signed = true
        upstream = "tcp://192.0.2.1:5222"
        [host.registration]
        whitelist = []
        refusal = "forbidden"
    )");
};

TEST_F(ExplainTest, Whitelisted) {
    for (auto const* const from : {"192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7"}) {
        auto const found = ask("example.org", from);
        EXPECT_EQ(found.rule, "whitelist");
        EXPECT_EQ(found.action, Action::forward);
        EXPECT_EQ(found.reply, std::nullopt);
        ASSERT_EQ(found.steps.size(), 1U);
        EXPECT_NE(found.steps[0].find(" is in [192.0.2.0/24, 2001:db8::/32]"), std::string::npos);
    }
}

TEST_F(ExplainTest, StrangersGetTheReplyThatTheyWouldGet) {
    auto const get = ask("Example.ORG", "198.51.100.1");
    EXPECT_EQ(get.rule, "default");
    EXPECT_EQ(get.action, Action::redirect);
    ASSERT_TRUE(get.reply);
    EXPECT_NE(get.reply->find("type='result'"), std::string::npos) << *get.reply;
    EXPECT_NE(get.reply->find("<url>https://example.org/?a=b&amp;c</url>"), std::string::npos);
    EXPECT_NE(get.reply->find("Go to https"), std::string::npos);
    EXPECT_EQ(get.steps.size(), 2U);
    auto const set = ask("example.org", "198.51.100.1", RequestKind::set);
    EXPECT_NE(set.reply->find("<not-authorized"), std::string::npos) << *set.reply;
}

TEST_F(ExplainTest, InTheLanguageAskedFor) {
    EXPECT_NE(ask("example.org", "198.51.100.1", RequestKind::get, "sv").reply->find("Gå till"),
              std::string::npos);
}

TEST_F(ExplainTest, ByTheHostsOwnSettings) {
    auto const found = ask("a.closed.example", "192.0.2.7", RequestKind::set);
    EXPECT_EQ(found.rule, "default");
    EXPECT_NE(found.reply->find("<forbidden"), std::string::npos) << *found.reply;
    EXPECT_NE(found.steps[0].find("is not in []"), std::string::npos) << found.steps[0];
}

TEST_F(ExplainTest, AHostThatNobodyServes) {
    auto const found = ask("nobody.example", "192.0.2.7");
    EXPECT_EQ(found.rule, "default");
    EXPECT_NE(found.action, Action::forward);
    EXPECT_NE(found.steps[0].find("no [[host]]"), std::string::npos);
    ASSERT_TRUE(found.warning);
    EXPECT_NE(found.warning->find("a stream to it gets host-unknown"), std::string::npos);
    EXPECT_EQ(ask("example.org", "192.0.2.7").warning, std::nullopt);
    EXPECT_EQ(ask("a.closed.example", "192.0.2.7").warning, std::nullopt);
}

TEST_F(ExplainTest, AsText) {
    auto const text = as_text(ask("example.org", "198.51.100.1"));
    EXPECT_NE(text.find("decided by default: redirect\n"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("</iq>\n"));
    EXPECT_TRUE(as_text(ask("example.org", "192.0.2.7")).ends_with("whitelist: forward\n"));
}

TEST_F(ExplainTest, AsJson) {
    auto const redirected = boost::json::parse(as_json(ask("example.org", "198.51.100.1")));
    EXPECT_EQ(redirected.at("rule"), "default");
    EXPECT_EQ(redirected.at("action"), "redirect");
    EXPECT_TRUE(redirected.at("reply").as_string().starts_with("<iq "));
    auto const forwarded = boost::json::parse(as_json(ask("example.org", "192.0.2.7")));
    EXPECT_EQ(forwarded.at("rule"), "whitelist");
    EXPECT_EQ(forwarded.at("action"), "forward");
    EXPECT_TRUE(forwarded.at("reply").is_null());
}

}  // namespace
}  // namespace stanzagate::proxy
