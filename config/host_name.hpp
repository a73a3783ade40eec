#pragma once

#include <string>
#include <string_view>

#include "config/config.hpp"
#include "config/units.hpp"

namespace stanzagate::config {

// Whether it has the form of a DNS name (RFC 1123; underscores too, which private networks use), or
// is an IPv4 address. Only ASCII: an internationalised name is not, only its xn-- form.
bool is_host_name(std::string_view text);

// "example.org", "*.example.org", "*"; in lower case.
Parsed<HostPattern> parse_host_pattern(std::string_view text);

// "tls://10.0.0.5:5223", "tcp://[::1]:5222", "starttls://xmpp.internal:5222".
Parsed<UpstreamAddress> parse_upstream_address(std::string_view text);

std::string ascii_lower(std::string_view text);

}  // namespace stanzagate::config
