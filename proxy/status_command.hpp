#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/admin_address.hpp"

namespace stanzagate::proxy {

// What /status.json at the address says, as text. The error is a text for people.
struct StatusError {
    std::string what;
};
std::variant<std::string, StatusError> ask_status(config::AdminAddress address);

// A short table of it. The error: it is not what a running stanzagate says.
std::variant<std::string, StatusError> status_table(std::string_view json);

}  // namespace stanzagate::proxy
