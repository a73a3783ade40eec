// `explain` says what the gate does: random rules and requests, asked of both.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>

#include "proxy/explain.hpp"
#include "tests/filters/gate_driver.hpp"
#include "tests/filters/rules_folder.hpp"

namespace stanzagate::proxy {
namespace {

using config::Rule;
using filters::GateDriver;
using filters::RequestKind;
using filters::Side;
using filters::Transport;

class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    // Anything that does not depend on a network, or on what o'clock it is.
    Rule rule(std::size_t place) {
        Rule made;
        made.name = made.id = "rule " + std::to_string(place);
        made.action = any(std::array{config::Action::forward, config::Action::redirect,
                                     config::Action::refuse, config::Action::close});
        if (maybe()) made.hosts = {{config::HostPattern::Kind::exact, any(hosts)}};
        if (maybe()) made.from = config::AddressMatch{{network()}, {}};
        if (maybe()) made.not_from = config::AddressMatch{{network()}, {}};
        if (maybe()) made.transports = {any(transports)};
        if (maybe()) made.invited = below(2) == 0;
        if (maybe()) made.dns_lists = {"dnsbl.example.net"};
        if (maybe()) made.quota = config::Quota{1, std::chrono::hours(1), config::QuotaBy::address};
        if (made.action == config::Action::redirect && maybe()) made.answer.oob = false;
        if (maybe()) made.answer.refusal = config::Refusal::forbidden;
        return made;
    }

    Question question() {
        Question made;
        made.host = any(hosts);
        made.from = address();
        made.request = below(2) ? RequestKind::get : RequestKind::set;
        made.transport = any(transports);
        made.lang = any(std::array{"", "en", "sv"});
        made.invited = below(2) == 0;
        return made;
    }

    std::size_t below(std::size_t count) { return random_() % count; }

private:
    static constexpr std::array hosts{"example.org", "second.example", "strict.example"};
    static constexpr std::array transports{Transport::starttls, Transport::direct,
                                           Transport::websocket, Transport::bosh};

    bool maybe() { return below(3) == 0; }
    template <class Values>
    typename Values::value_type any(const Values& values) {
        return values[below(values.size())];
    }
    config::Address address() {
        return config::Address::from(
            config::Address::V4{192, static_cast<std::uint8_t>(below(4)), 2, 1});
    }
    config::Network network() { return config::Network::of(address(), 15); }

    std::mt19937 random_;
};

// The same request, sent to a gate.
void make(GateDriver& driver, const Question& question) {
    driver.send(Side::client,
                "<stream:stream xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' to='" +
                    question.host + "'>");
    driver.send(Side::upstream,
                "<stream:stream xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='1'>"
                "<stream:features><a/></stream:features>");
    if (question.invited) {
        driver.send(Side::client,
                    "<iq type='set' id='t'><preauth xmlns='urn:xmpp:pars:0' token='T'/></iq>");
        driver.send(Side::upstream, "<iq type='result' id='t'/>");
    }
    driver.take(Side::client);
    driver.take(Side::upstream);
    auto const lang = question.lang.empty() ? "" : " xml:lang='" + question.lang + "'";
    driver.send(Side::client,
                "<iq id='1' type='" + std::string(filters::to_string(question.request)) + "' to='" +
                    question.host + "'" + lang + "><query xmlns='jabber:iq:register'/></iq>");
}

TEST(ExplainProperty, AgreesWithTheGate) {
    auto const base = filters::RulesFolder("").load();
    std::array<int, 4> seen{};
    for (unsigned seed = 1; seed <= 4000; ++seed) {
        Maker maker(seed);
        auto config = base;
        auto const count = maker.below(6);
        for (std::size_t place = 0; place < count; ++place) {
            config.rules.push_back(maker.rule(place));
            for (auto& host : config.hosts) host.registration.rules.push_back(place);
        }
        auto const question = maker.question();
        auto const explained = explain({config}, question);

        filters::Policy const policy(config);
        GateDriver driver(policy, {question.from, question.transport});
        make(driver, question);
        ASSERT_EQ(driver.registrations.size(), 1U) << "seed " << seed;
        auto const& event = driver.registrations.front();
        ASSERT_EQ(event.rule, explained.rule) << "seed " << seed;
        ASSERT_EQ(event.action, explained.action) << "seed " << seed;
        auto const reply = driver.take(Side::client);
        ASSERT_EQ(reply, explained.reply.value_or("")) << "seed " << seed;
        ASSERT_EQ(driver.take(Side::upstream).empty(), explained.reply.has_value());
        ++seen.at(static_cast<std::size_t>(event.action));
    }
    for (auto const times : seen) EXPECT_GT(times, 200);
}

}  // namespace
}  // namespace stanzagate::proxy
