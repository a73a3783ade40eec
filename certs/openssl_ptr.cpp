#include "certs/openssl_ptr.hpp"

#include <openssl/err.h>

#include <array>

namespace stanzagate::certs {

std::string drain_openssl_errors() {
    std::string text;
    while (const unsigned long error = ERR_get_error()) {
        if (!text.empty()) text += "; ";
        if (const char* reason = ERR_reason_error_string(error); reason != nullptr) {
            text += reason;
        } else {
            std::array<char, 256> unnamed{};
            ERR_error_string_n(error, unnamed.data(), unnamed.size());
            text += unnamed.data();
        }
    }
    return text;
}

}  // namespace stanzagate::certs
