#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "filters/frame.hpp"
#include "filters/policy.hpp"

// In-band registration (XEP-0077), and XEP-0389 as far as it is told apart from everything else:
// which first-level elements are requests, and what the gate answers to those it does not forward.
namespace stanzagate::filters {

struct RegistrationRequest {
    RequestKind kind = RequestKind::get;
    bool stanza = true;      // an iq; otherwise XEP-0389's first-level <register/>
    bool creates = false;    // may make an account; no iq of type get does
    bool ambiguous = false;  // two servers could read it in two ways: gets bad-request
    std::optional<std::string> id;
    std::optional<std::string> to;
    std::optional<std::string> from;
    std::optional<std::string> lang;
};

// What kind of registration request the client's element is; nullopt: none. An iq counts whatever
// its own namespace, and whatever its child's local name: servers differ in what they look at.
std::optional<RegistrationRequest> registration_request(const Frame& frame);

// Whom an answer is for.
struct AnswerContext {
    std::string_view host;         // whose answer it is
    std::string_view stream_lang;  // the stream's xml:lang, or empty
    const Peer& peer;
};

// The iq that answers a request which was decided to be redirected or refused.
std::string answer(const RegistrationRequest& request, const Decision& decision,
                   const AnswerContext& context);

// The iq error, type `modify`, condition bad-request, for any iq with these attributes.
std::string bad_request(const Attributes& attributes);

// What XEP-0389 section 6.3 wants beside undefined-condition for a flow that cannot be had.
inline constexpr std::string_view invalid_flow = "<invalid-flow xmlns='urn:xmpp:register:0'/>";

}  // namespace stanzagate::filters
