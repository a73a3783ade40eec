#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>

#include "tests/filters/gate_driver.hpp"
#include "tests/filters/rules_folder.hpp"
#include "tests/filters/splits.hpp"
#include "tests/filters/test_config.hpp"

// Sessions that are decided by rules, and what they send.
namespace stanzagate::filters::rules {

inline const std::string header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='example.org' version='1.0'>";
inline const std::string features = "<stream:features><a/></stream:features>";

inline std::string iq(std::string_view type, std::string_view id, std::string_view more = {}) {
    return "<iq type='" + std::string(type) + "' id='" + std::string(id) + "'" + std::string(more) +
           "><query xmlns='jabber:iq:register'/></iq>";
}
inline std::string answered(std::string_view type, std::string_view id) {
    return "<iq type='" + std::string(type) + "' id='" + std::string(id) + "'/>";
}
inline std::string token(std::string_view id) {
    return "<iq type='set' id='" + std::string(id) +
           "'><preauth xmlns='urn:xmpp:pars:0' token='T'/></iq>";
}
inline std::string rule(std::string_view keys) {
    return "[[rule]]\nname = 'it'\n" + std::string(keys) + '\n';
}
inline std::string once(std::string_view by = "address") {
    return rule("action = 'forward'\nquota = { count = 1, per = '1h', by = '" + std::string(by) +
                "' }");
}

struct Rules {
    explicit Rules(std::string_view text) : folder(text) {}

    RulesFolder folder;
    config::Config config = folder.load();
    Policy policy{config};
};

// A session of a stranger at example.org, whose upstream has sent its features.
struct Session {
    explicit Session(const Policy& policy, std::string_view from = stranger)
        : driver(policy, peer_at(from)) {
        driver.send(Side::client, header);
        driver.take(Side::upstream);
    }
    void open() {
        upstream(header + features);
        static_cast<void>(got());
    }
    void client(std::string_view bytes) { driver.send(Side::client, bytes); }
    void upstream(std::string_view bytes) { driver.send(Side::upstream, bytes); }
    std::string got() { return driver.take(Side::client); }
    std::string reached() { return driver.take(Side::upstream); }
    std::string rule_of(std::size_t request) const {
        return request < driver.registrations.size()
                   ? std::string(driver.registrations[request].rule)
                   : "none";
    }

    GateDriver driver;
};

// What the client's next `set` is decided by.
inline std::string next_is_decided_by(Session& session) {
    auto const before = session.driver.registrations.size();
    session.client(iq("set", "next"));
    return session.rule_of(before);
}

// Plays `bytes` of the client in every split; `rest` says what has to come of it.
inline void in_every_split(const Policy& policy, const std::string& bytes,
                           const std::function<void(Session&)>& prepare,
                           const std::function<void(Session&)>& rest) {
    for (auto const& pieces : every_split(bytes)) {
        Session session(policy);
        prepare(session);
        for (auto const piece : pieces) session.client(piece);
        rest(session);
        ASSERT_EQ(session.driver.broken_promise, "");
        if (testing::Test::HasFailure()) FAIL() << "first piece: " << pieces.front();
    }
}
inline void open(Session& session) {
    session.open();
}
inline void open_and_wait(Session& session) {
    session.open();
    session.driver.world_answers = GateDriver::Connect::when_told;
}

inline bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace stanzagate::filters::rules
