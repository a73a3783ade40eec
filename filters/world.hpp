#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "config/rules.hpp"
#include "filters/invitations.hpp"
#include "filters/quotas.hpp"

namespace stanzagate::filters {

// What decisions ask of the world outside: time, countries, DNS lists, quotas, invitations. The
// core has none of them itself; whoever drives it answers, at once. One for each session.
class World {
public:
    virtual ~World() = default;

    virtual std::chrono::system_clock::time_point now() const = 0;
    // ISO 3166-1 alpha-2 in capitals; empty: not known.
    virtual std::string country(const config::Address& address) const = 0;
    // Whether the session's client is in that DNS list; nullopt: it has not been asked yet.
    virtual std::optional<bool> listed(std::string_view zone) const = 0;
    // Whether the rule's quota, which it has, lets one more through.
    virtual bool quota_holds(const config::Rule& rule, const QuotaClient& client) const = 0;
    // Takes one from it, for a request that is about to be forwarded; nullopt: none is left.
    [[nodiscard]] virtual std::optional<Reservation> reserve(const config::Rule& rule,
                                                             const QuotaClient& client) = 0;
    // Gives it back: it was used up, or not.
    virtual void commit(Reservation reservation) = 0;
    virtual void cancel(Reservation reservation) = 0;

    // As the functions of Invitations, which all sessions share.
    virtual std::optional<Invitation> show_invitation(std::string_view domain,
                                                      std::string_view token) = 0;
    virtual bool begin(Invitation& invitation) = 0;
    virtual void end(Invitation& invitation, bool used) = 0;
    virtual void give_back(Invitation invitation) = 0;
};

}  // namespace stanzagate::filters
