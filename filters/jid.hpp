#pragma once

#include <string>
#include <string_view>

namespace stanzagate::filters {

// The domain part of a JID (RFC 7622 section 3.2) as hosts are configured: what stands behind the
// first '@' that is before the first '/', without a trailing dot, in lower case. What is not ASCII
// goes through Nameprep (RFC 3491), as servers do before they look for a host and which makes ASCII
// of much of it, and is then written as certificates have it (RFC 3490 section 4.1: "xn--...").
// Empty where there is none or it cannot be prepared, for it has characters that are prohibited or
// that Unicode 3.2 does not know: of these, each server makes its own.
std::string domain_of(std::string_view jid);

}  // namespace stanzagate::filters
