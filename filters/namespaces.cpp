#include "filters/namespaces.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace stanzagate::filters {
namespace {

constexpr std::array<std::pair<std::string_view, Namespace>, 16> known{{
    {"", Namespace::none},
    {"jabber:client", Namespace::client},
    {"http://etherx.jabber.org/streams", Namespace::streams},
    {"urn:ietf:params:xml:ns:xmpp-tls", Namespace::tls},
    {"urn:ietf:params:xml:ns:xmpp-sasl", Namespace::sasl},
    {"urn:xmpp:sasl:2", Namespace::sasl2},
    {"jabber:iq:register", Namespace::iq_register},
    {"jabber:iq:auth", Namespace::iq_auth},
    {"urn:xmpp:pars:0", Namespace::pars},
    {"urn:xmpp:register:0", Namespace::extensible_ibr},
    {"http://jabber.org/protocol/compress", Namespace::compress},
    {"http://jabber.org/features/iq-register", Namespace::register_feature},
    {"http://jabber.org/features/compress", Namespace::compress_feature},
    {"urn:xmpp:stream-limits:0", Namespace::limits},
    {"urn:ietf:params:xml:ns:xmpp-framing", Namespace::framing},
    {"http://jabber.org/protocol/httpbind", Namespace::httpbind},
}};

}  // namespace

Namespace namespace_of(std::string_view uri) {
    auto const* const found = std::find_if(known.begin(), known.end(),
                                           [&](auto const& entry) { return entry.first == uri; });
    return found == known.end() ? Namespace::other : found->second;
}

}  // namespace stanzagate::filters
