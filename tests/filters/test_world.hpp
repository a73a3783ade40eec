#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "filters/world.hpp"

namespace stanzagate::filters {

// A world that a test sets up. By itself it knows nothing: no country, every list asked and silent,
// quotas without a limit of their own beyond Quotas.
class TestWorld final : public World {
public:
    std::chrono::system_clock::time_point now() const override { return time; }
    std::string country(const config::Address& address) const override {
        auto const found = countries.find(address);
        return found == countries.end() ? std::string() : found->second;
    }
    std::optional<bool> listed(std::string_view zone) const override {
        if (unasked.contains(std::string(zone))) return std::nullopt;
        return listing.contains(std::string(zone));
    }
    bool quota_holds(const config::Rule& rule, const QuotaClient& client) const override {
        return quotas.holds(rule.id, *rule.quota, client, tick);
    }
    std::optional<Reservation> reserve(const config::Rule& rule,
                                       const QuotaClient& client) override {
        if (before_reserve) before_reserve();
        return quotas.reserve(rule.id, *rule.quota, client, tick);
    }
    void commit(Reservation reservation) override { quotas.commit(std::move(reservation), tick); }
    void cancel(Reservation reservation) override { quotas.cancel(std::move(reservation)); }
    std::optional<Invitation> show_invitation(std::string_view domain,
                                              std::string_view token) override {
        return shared_invitations->show(domain, token);
    }
    bool begin(Invitation& invitation) override { return shared_invitations->begin(invitation); }
    void end(Invitation& invitation, bool used) override {
        shared_invitations->end(invitation, used);
    }
    void give_back(Invitation invitation) override {
        shared_invitations->give_back(std::move(invitation));
    }

    std::chrono::system_clock::time_point time{};
    Quotas::TimePoint tick{};
    std::map<config::Address, std::string> countries;
    std::set<std::string> unasked;  // zones
    std::set<std::string> listing;  // zones that list the client
    mutable Quotas quotas;
    Invitations invitations;
    Invitations* shared_invitations = &invitations;  // with other sessions, perhaps
    std::function<void()> before_reserve;            // what another session does just then
};

}  // namespace stanzagate::filters
