#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/dns_lists.hpp"
#include "tests/proxy/background_test.hpp"
#include "tests/proxy/captured_log.hpp"
#include "tests/proxy/dns_server.hpp"

namespace stanzagate::proxy::testing {

using namespace std::chrono_literals;
using config::Address;

inline const std::string zone = "list.example";
inline const std::string other_zone = "other.example";

inline Address address(std::string_view text) {
    return Address::parse(text).value();
}

inline const Address spammer = address("192.0.2.99");

inline std::string name_of(const Address& who, std::string_view where = zone) {
    return dns_list_name(where, who);
}

// Each test has a server, lists that ask it, and a clock that stands still. What is logged is
// returned by end().
class DnsListsTest : public BackgroundTest {
protected:
    void begin(DnsListSettings settings = {.limit = 10s}) {
        if (settings.servers.list.empty()) settings.servers.list = server_.address();
        settings.now = [this] { return now_; };
        lists_.emplace(io_, log_, settings);
    }
    std::string end() {
        lists_.reset();
        return logged_.text();
    }

    // All that can be done without waiting long.
    void settle() {
        io_.restart();
        while (io_.run_one_for(20ms) != 0 && ++turns_ < 10'000) {
        }
    }
    // Asks, waits, and says what is known then.
    std::optional<bool> learn(const Address& who, const std::string& where = zone) {
        bool called = false;
        std::optional<bool> known;
        auto const query = lists_->ask(std::vector{where}, who, [&] {
            called = true;
            known = lists_->known(where, who);
        });
        EXPECT_FALSE(called);
        EXPECT_TRUE(run_until([&] { return called; }));
        return known;
    }

    CapturedLog logged_;
    Log log_{{config::LogLevel::info, config::LogFormat::text}};
    DnsServer server_{io_};
    DnsLists::Clock::time_point now_{1000h};
    std::optional<DnsLists> lists_;
    int turns_ = 0;
};

inline int count(std::string_view text, std::string_view what) {
    int found = 0;
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
    return found;
}

}  // namespace stanzagate::proxy::testing
