#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "filters/policy.hpp"

namespace stanzagate::proxy {

// A registration request that nobody made.
struct Question {
    std::string host;
    config::Address from = config::Address::from(config::Address::V4{});
    filters::RequestKind request = filters::RequestKind::get;
    filters::Transport transport = filters::Transport::starttls;
    std::string lang;
};

// What the gate would do with it, decided by the code that decides in earnest.
struct Explanation {
    std::string rule;
    filters::Action action = filters::Action::redirect;
    std::optional<std::string> reply;  // XML; nothing where the request is forwarded
    std::vector<std::string> steps;    // rule by rule, why it did or did not match
};

Explanation explain(const config::Config& config, const Question& question);
std::string as_text(const Explanation& explanation);
std::string as_json(const Explanation& explanation);

}  // namespace stanzagate::proxy
