// The policy against a second one, written after the contract with no care for speed: thousands of
// random rules, requests and worlds, on which both have to agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/filters/test_config.hpp"
#include "tests/filters/test_world.hpp"

namespace stanzagate::filters {
namespace {

using config::AddressMatch;
using config::HostPattern;
using config::Network;
using config::Rule;

// What lists hold, as networks one by one.
using FileNetworks = std::vector<std::vector<Network>>;

struct Case {
    config::Config config;
    FileNetworks files;  // of each list
    std::string host;
    std::optional<std::string> other;
    Peer peer;
    std::string invited_to;  // empty: nowhere
    TestWorld world;
};

// What was decided, as one text.
std::string outcome(std::string_view rule, Action action, bool by_other,
                    const std::set<std::string>& quotas, bool by_invitation) {
    std::string text(rule);
    text.append(" ").append(to_string(action)).append(by_other ? " other" : "");
    if (action != Action::forward) return text;
    for (auto const& quota : quotas) text += " " + quota;
    return text + (by_invitation ? " invited" : "");
}

// The second policy.
class Naive {
public:
    explicit Naive(const Case& of) : case_(of) {}

    std::string decide(bool unasked_is_unlisted) const {
        auto const own = decide_for(case_.host, unasked_is_unlisted);
        if (!own.ask.empty()) {
            auto ask = own.ask;
            if (case_.other) ask.merge(unasked_of(*case_.other));
            return asks(ask);
        }
        if (own.action != Action::forward || !case_.other || *case_.other == case_.host)
            return outcome(own.rule, own.action, false, own.quotas, own.by_invitation);
        auto const other = decide_for(*case_.other, unasked_is_unlisted);
        if (!other.ask.empty()) {
            auto ask = other.ask;
            ask.merge(unasked_of(case_.host));
            return asks(ask);
        }
        if (other.action != Action::forward)
            return outcome(other.rule, other.action, true, {}, false);
        auto quotas = own.quotas;
        quotas.insert(other.quotas.begin(), other.quotas.end());
        return outcome(own.rule, own.action, false, quotas,
                       own.by_invitation || other.by_invitation);
    }

    static std::string asks(const std::set<std::string>& zones) {
        std::string text = "ask";
        for (auto const& zone : zones) text += " " + zone;
        return text;
    }

private:
    struct Found {
        std::string rule = "default";
        Action action = Action::redirect;
        std::set<std::string> quotas{};  // by what counts them
        bool by_invitation = false;
        std::set<std::string> ask{};
    };
    enum class Answer { no, yes, ask };

    static bool names(const HostPattern& pattern, const std::string& host) {
        if (pattern.kind == HostPattern::Kind::any) return true;
        if (pattern.kind == HostPattern::Kind::exact) return host == pattern.name;
        auto const end = "." + pattern.name;
        return host.size() > end.size() && host.substr(host.size() - end.size()) == end;
    }

    bool is_in(const AddressMatch& match) const {
        if (!case_.peer.address) return false;
        bool found = false;
        auto const look = [&](const std::vector<Network>& networks) {
            for (auto const& network : networks)
                found = found || network.contains(*case_.peer.address);
        };
        look(match.networks);
        for (auto const list : match.lists) {
            look(case_.config.lists[list].networks);
            look(case_.files[list]);
        }
        return found;
    }

    // Every key that is present must hold.
    Answer matches(const Rule& rule, const std::string& host, bool unasked_is_unlisted) const {
        auto const& address = case_.peer.address;
        bool holds = true;
        if (!rule.hosts.empty()) {
            bool named = false;
            for (auto const& pattern : rule.hosts) named = named || names(pattern, host);
            holds = holds && named;
        }
        if (rule.from) holds = holds && is_in(*rule.from);
        if (rule.not_from) holds = holds && !is_in(*rule.not_from);
        if (!rule.transports.empty()) {
            auto const& all = rule.transports;
            holds = holds && std::count(all.begin(), all.end(), case_.peer.transport) > 0;
        }
        if (!rule.countries.empty()) {
            auto const& all = rule.countries;
            holds = holds && address &&
                    std::count(all.begin(), all.end(), case_.world.country(*address)) > 0;
        }
        if (rule.invited) holds = holds && *rule.invited == (case_.invited_to == host);
        if (rule.during) holds = holds && rule.during->holds(case_.world.time);
        bool ask = false;
        if (!rule.dns_lists.empty()) {
            bool listed = false;
            for (auto const& zone : rule.dns_lists) {
                listed = listed || case_.world.listed(zone) == true;
                ask = ask || !case_.world.listed(zone);
            }
            ask = ask && !listed && address && !unasked_is_unlisted;
            if (!ask) holds = holds && listed && address;
        }
        if (!holds) return Answer::no;
        if (ask) return Answer::ask;
        if (rule.quota && !case_.world.quota_holds(rule, {address, host})) return Answer::no;
        return Answer::yes;
    }

    std::set<std::string> unasked_of(const std::string& host) const {
        std::set<std::string> zones;
        for (auto const& one : case_.config.hosts) {
            if (one.name.name != host) continue;
            for (auto const place : one.registration.rules)
                for (auto const& zone : case_.config.rules[place].dns_lists)
                    if (!case_.world.listed(zone)) zones.insert(zone);
        }
        return zones;
    }

    Found decide_for(const std::string& host, bool unasked_is_unlisted) const {
        Found found;
        const config::Host* served = nullptr;
        for (auto const& one : case_.config.hosts)
            if (one.name.name == host) served = &one;
        if (!served) return found;
        for (auto const place : served->registration.rules) {
            auto const& rule = case_.config.rules[place];
            auto const answer = matches(rule, host, unasked_is_unlisted);
            if (answer == Answer::no) continue;
            if (answer == Answer::ask) {
                found.ask = unasked_of(host);
                return found;
            }
            found.rule = rule.name;
            found.action = rule.action;
            found.by_invitation = rule.invited == true;
            if (rule.quota)
                found.quotas.insert(rule.name +
                                    (rule.quota->by == config::QuotaBy::host ? "@" + host : ""));
            return found;
        }
        for (auto const& network : served->registration.whitelist)
            if (case_.peer.address && network.contains(*case_.peer.address))
                return {.rule = "whitelist", .action = Action::forward};
        return found;
    }

    const Case& case_;
};

std::string decided_by(const Policy& policy, const Case& test,
                       const std::vector<std::string>& asked) {
    auto const decision = policy.decide({.host = test.host,
                                         .other_domain = test.other,
                                         .peer = test.peer,
                                         .kind = RequestKind::set,
                                         .invited_to = test.invited_to,
                                         .asked = asked},
                                        test.world);
    if (!decision.unknown_lists.empty())
        return Naive::asks({decision.unknown_lists.begin(), decision.unknown_lists.end()});
    std::set<std::string> quotas;
    for (auto const& use : decision.quotas)
        quotas.insert(use.rule->name +
                      (use.rule->quota->by == config::QuotaBy::host ? "@" + use.domain : ""));
    // What counts a registration is used once.
    EXPECT_EQ(quotas.size(), decision.quotas.size());
    return outcome(decision.rule, decision.action, decision.by_other_domain, quotas,
                   decision.by_invitation);
}

constexpr std::array zones{"a.example", "b.example", "c.example"};

// Makes up cases in which keys hold about as often as not.
class Maker {
public:
    explicit Maker(unsigned seed) : random_(seed) {}

    void fill(Case& made) {
        made.config = base();
        auto& config = made.config;
        made.files.resize(3);
        for (std::size_t list = 0; list < made.files.size(); ++list) {
            config.lists.push_back({.name = "l" + std::to_string(list),
                                    .networks = networks(below(3)),
                                    .file = std::nullopt,
                                    .where = {}});
            made.files[list] = networks(below(3));
        }
        auto const count = below(7);
        for (std::size_t place = 0; place < count; ++place) config.rules.push_back(rule(place));
        for (auto& host : config.hosts) {
            host.registration.whitelist = networks(below(3));
            for (std::size_t place = 0; place < count; ++place)
                if (below(4)) host.registration.rules.push_back(place);
            std::shuffle(host.registration.rules.begin(), host.registration.rules.end(), random_);
        }
        made.host = any_host();
        if (below(2)) made.other = any_host();
        made.peer.transport = any(transports);
        if (below(8)) made.peer.address = address();
        if (below(2)) made.invited_to = below(2) ? made.host : any_host();
        auto& world = made.world;
        world.time += std::chrono::hours(below(24 * 7));
        if (made.peer.address && below(3)) world.countries[*made.peer.address] = any(countries);
        for (auto const* const zone : zones) {
            if (below(3) == 0)
                world.unasked.insert(zone);
            else if (below(2))
                world.listing.insert(zone);
        }
        for (auto const& one : config.rules) {
            if (!one.quota || below(2)) continue;
            auto earlier = world.reserve(one, {made.peer.address, any_host()});
            if (earlier) world.commit(*std::move(earlier));
        }
    }

private:
    static constexpr std::array countries{"SE", "NO"};
    static constexpr std::array transports{Transport::starttls, Transport::direct,
                                           Transport::websocket, Transport::bosh};
    static constexpr std::array windows{"08:00-18:00", "Sat-Tue 12:00-24:00",
                                        "20:00-06:00 Europe/Stockholm"};
    static constexpr std::array hosts{"example.org", "second.example", "strict.example",
                                      "nobody.example"};

    static const config::Config& base() {
        static const config::Config all = config_of();
        return all;
    }

    std::size_t below(std::size_t count) { return random_() % count; }
    template <class Values>
    typename Values::value_type any(const Values& values) {
        return values[below(values.size())];
    }
    std::string any_host() { return any(hosts); }

    // Few addresses and large networks, so that one is often in the other.
    config::Address address() {
        if (below(3) == 0) {
            config::Address::V6 bytes{0x20, 0x01};
            bytes[2] = static_cast<std::uint8_t>(below(256));
            return config::Address::from(bytes);
        }
        return config::Address::from(
            config::Address::V4{198, static_cast<std::uint8_t>(below(256)), 0, 1});
    }
    std::vector<Network> networks(std::size_t count) {
        std::vector<Network> made;
        for (; count > 0; --count) {
            auto const base = address();
            made.push_back(
                Network::of(base, static_cast<unsigned>((base.is_v4() ? 8 : 16) + below(4))));
        }
        return made;
    }
    AddressMatch addresses() {
        AddressMatch match{networks(below(3)), {}};
        for (std::size_t list = 0; list < 3; ++list)
            if (below(3) == 0) match.lists.push_back(list);
        return match;
    }
    HostPattern pattern() {
        switch (below(3)) {
            case 0:
                return {HostPattern::Kind::any, {}};
            case 1:
                return {HostPattern::Kind::wildcard, "example"};
            default:
                return {HostPattern::Kind::exact, any_host()};
        }
    }

    Rule rule(std::size_t place) {
        Rule made;
        made.name = "r" + std::to_string(place);
        made.id = made.name;
        // Mostly forward: only then does the other domain matter.
        made.action = below(2) ? Action::forward
                               : any(std::array{Action::redirect, Action::refuse, Action::close});
        auto const wanted = [&] { return below(4) == 0; };
        if (wanted()) made.hosts = {pattern(), pattern()};
        if (wanted()) made.from = addresses();
        if (wanted()) made.not_from = addresses();
        if (wanted()) made.transports = {any(transports), any(transports)};
        if (wanted()) made.countries = {any(countries)};
        if (wanted()) made.dns_lists.emplace_back(any(zones));
        if (!made.dns_lists.empty() && below(2)) made.dns_lists.emplace_back(any(zones));
        if (wanted()) made.invited = below(2) == 0;
        if (wanted())
            made.during = std::get<config::Schedule>(config::Schedule::parse(any(windows)));
        if (wanted())
            made.quota =
                config::Quota{1 + below(2), std::chrono::hours(1),
                              any(std::array{config::QuotaBy::address, config::QuotaBy::network,
                                             config::QuotaBy::host, config::QuotaBy::all})};
        return made;
    }

    std::mt19937 random_;
};

TEST(PolicyProperty, AgreesWithTheNaiveOne) {
    constexpr unsigned cases = 20'000;
    std::set<std::string> kinds;
    for (unsigned seed = 1; seed <= cases; ++seed) {
        Case test;
        Maker(seed).fill(test);
        config::ListContents contents;
        for (auto const& file : test.files)
            contents.push_back(std::make_shared<const config::NetworkSet>(file));
        Policy const policy(test.config, contents);
        for (bool const all_asked : {false, true}) {
            std::vector<std::string> asked;
            if (all_asked) asked.assign(zones.begin(), zones.end());
            auto const expected = Naive(test).decide(all_asked);
            ASSERT_EQ(decided_by(policy, test, asked), expected) << "seed " << seed;
            kinds.insert(expected);
        }
    }
    // What was compared is not always the same.
    EXPECT_GT(kinds.size(), 100U);
}

}  // namespace
}  // namespace stanzagate::filters
