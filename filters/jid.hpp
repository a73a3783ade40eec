#pragma once

#include <string>
#include <string_view>

namespace stanzagate::filters {

// The domain part of a JID (RFC 7622 section 3.2), prepared as servers do before they look for a
// host: what stands behind the first '@' that is before the first '/', without a trailing dot, in
// lower case; what is not ASCII through Nameprep (RFC 3491), which makes ASCII of much of it.
// Empty where there is none or it cannot be prepared, for it has characters that are prohibited or
// that Unicode 3.2 does not know: of these, each server makes its own.
std::string domain_of(std::string_view jid);

}  // namespace stanzagate::filters
