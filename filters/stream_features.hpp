#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "filters/frame.hpp"

// The server's <stream:features/> before authentication: what is changed in them, byte by byte, and
// what they tell about the server. SASL mechanisms and channel-binding types are never touched:
// cutting them is a downgrade that clients detect (XEP-0474).
namespace stanzagate::filters {

struct FeatureEdits {
    enum class Registration : std::uint8_t { as_it_comes, present, absent };
    Registration registration = Registration::as_it_comes;  // the XEP-0077 feature
    bool hide_registration_flows = false;                   // the XEP-0389 feature
    std::size_t max_bytes = 0;                              // XEP-0478 limits are lowered to these
    std::size_t idle_seconds = 0;
};

// The features as the client gets them: STARTTLS and compression cut, the rest as `edits` says, and
// every other byte as it came.
std::string rewrite_features(const Frame& features, const FeatureEdits& edits);

struct FeatureFindings {
    bool starttls_only = false;    // the server wants TLS on this leg before anything else
    bool channel_binding = false;  // offers a -PLUS mechanism, which cannot work through a proxy
    bool external = false;         // offers EXTERNAL, likewise

    bool any() const { return starttls_only || channel_binding || external; }
};
FeatureFindings look_at_features(const Frame& features);

}  // namespace stanzagate::filters
