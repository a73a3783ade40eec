#pragma once

#include <string>
#include <system_error>

namespace stanzagate::proxy {

// What an errno says: "Connection refused".
inline std::string error_text(int error) {
    return std::system_category().message(error);
}

}  // namespace stanzagate::proxy
