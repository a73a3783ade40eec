#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/address.hpp"
#include "config/text_template.hpp"

namespace stanzagate::config {

enum class Refusal { not_authorized, not_allowed, forbidden, not_acceptable };
enum class Advertise { automatic, upstream, always, never };

// By language tag, in the order written; a plain string has the tag "".
using RegistrationTexts = std::vector<std::pair<std::string, TextTemplate>>;

// How registration is decided and answered for one host: [registration] with what
// [host.registration] overrides already applied.
struct Registration {
    std::vector<Network> whitelist;  // default 127.0.0.1 and ::1
    std::optional<TextTemplate> url;
    // Empty: the text is generated from `url` or `admins`.
    RegistrationTexts text;
    bool oob = true;
    std::vector<std::string> admins;  // bare JIDs
    Refusal refusal = Refusal::not_authorized;
    Advertise advertise = Advertise::automatic;
    // The rules that decide before the whitelist, in order: places in Config::rules.
    std::vector<std::size_t> rules;

    bool operator==(const Registration&) const = default;
};

}  // namespace stanzagate::config
