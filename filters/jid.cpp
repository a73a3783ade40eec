#include "filters/jid.hpp"

#include <idn-free.h>
#include <idna.h>

#include <algorithm>
#include <memory>

namespace stanzagate::filters {
namespace {

// RFC 7622 section 3.2.
constexpr std::size_t most_domain_bytes = 1023;

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

void drop_trailing_dot(std::string& domain) {
    if (domain.ends_with('.')) domain.pop_back();
}

// Nothing can become a part of a JID by it that was none before.
std::string to_ascii(const std::string& domain) {
    if (domain.size() > most_domain_bytes) return {};
    char* written = nullptr;
    if (::idna_to_ascii_8z(domain.c_str(), &written, 0) != IDNA_SUCCESS) return {};
    std::unique_ptr<char, decltype(&::idn_free)> const owner(written, ::idn_free);
    std::string ascii(written);
    if (ascii.find_first_of("@/") != std::string::npos) return {};
    drop_trailing_dot(ascii);
    return ascii;
}

}  // namespace

std::string domain_of(std::string_view jid) {
    jid = jid.substr(0, jid.find('/'));
    if (auto const at = jid.find('@'); at != std::string_view::npos) jid.remove_prefix(at + 1);
    std::string domain(jid);
    drop_trailing_dot(domain);
    if (!is_ascii(domain)) domain = to_ascii(domain);
    std::transform(domain.begin(), domain.end(), domain.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return domain;
}

}  // namespace stanzagate::filters
