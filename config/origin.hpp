#pragma once

#include <span>
#include <string>
#include <string_view>

// Where a web page comes from, as its browser says in the header field Origin (RFC 6454).
namespace stanzagate::config {

// "scheme://host", with ":port" behind it where need be, and nothing more. The host is ASCII, as
// browsers send it: a name (in its xn-- form), an IPv4 address, or an IPv6 address in brackets.
bool is_origin(std::string_view text);

// Whether a page of this `origin` may speak to the gate: one of `allowed` is "*", or is the same
// origin. Letters' case does not count, and the scheme's own port is the same as none. What is no
// origin, like the "null" that browsers send for local files and sandboxed frames, is allowed by
// "*" only. A client that sends no Origin at all is not a web page: do not ask.
bool origin_allowed(std::span<const std::string> allowed, std::string_view origin);

}  // namespace stanzagate::config
