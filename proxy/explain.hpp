#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/list_contents.hpp"
#include "filters/policy.hpp"
#include "proxy/countries.hpp"

namespace stanzagate::proxy {

// A registration request that nobody made.
struct Question {
    std::string host;
    config::Address from = config::Address::from(config::Address::V4{});
    filters::RequestKind request = filters::RequestKind::get;
    filters::Transport transport = filters::Transport::starttls;
    std::string lang;
    bool invited = false;
};

// What it is decided by. Without a network and without a past: DNS lists are not asked and list
// nobody, and no quota has been used.
struct DecidedBy {
    const config::Config& config;
    config::ListContents lists{};
    const Countries* countries = nullptr;
};

// What the gate would do with it, decided by the code that decides in earnest.
struct Explanation {
    std::string rule;
    filters::Action action = filters::Action::redirect;
    std::chrono::milliseconds delay{};     // before it is answered
    std::optional<std::string> reply;      // XML; nothing where the request is forwarded
    std::vector<std::string> steps;        // rule by rule, why it did or did not match
    std::optional<std::string> warning{};  // what the answer does not show
};

Explanation explain(const DecidedBy& by, const Question& question);
std::string as_text(const Explanation& explanation);
std::string as_json(const Explanation& explanation);

}  // namespace stanzagate::proxy
