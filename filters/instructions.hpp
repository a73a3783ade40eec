#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace stanzagate::filters {

// What a client is told instead of being registered.
struct Instructions {
    std::string text;     // empty where the operator configured nothing that could be told
    std::string lang;     // language tag of the text
    std::string oob_url;  // empty: no <x xmlns='jabber:x:oob'/>
};

// The operator's text in the language that `lang` asks for (RFC 4647 section 3.4, lookup), else the
// text that the url's scheme or the administrator's address makes: the same words that Prosody's
// mod_register_redirect uses.
Instructions instructions_for(const config::Registration& registration, std::string_view host,
                              const std::optional<config::Address>& address, std::string_view lang);

}  // namespace stanzagate::filters
