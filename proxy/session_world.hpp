#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "filters/world.hpp"
#include "proxy/shared_invitations.hpp"
#include "proxy/shared_quotas.hpp"
#include "proxy/snapshot.hpp"

namespace stanzagate::proxy {

// The world as one session's gate sees it: the clock, the snapshot's countries, the quotas and
// invitations of the process, and what DNS lists have answered about this client.
class SessionWorld final : public filters::World {
public:
    SessionWorld(std::shared_ptr<const Snapshot> snapshot, SharedQuotas& quotas,
                 SharedInvitations& invitations)
        : snapshot_(std::move(snapshot)), quotas_(quotas), invitations_(invitations) {}

    void use(std::shared_ptr<const Snapshot> snapshot) { snapshot_ = std::move(snapshot); }
    void learn(const std::string& zone, bool listed) { listed_[zone] = listed; }

    std::chrono::system_clock::time_point now() const override {
        return std::chrono::system_clock::now();
    }
    std::string country(const config::Address& address) const override {
        auto const* const countries = snapshot_->countries();
        return countries ? countries->of(address) : std::string();
    }
    std::optional<bool> listed(std::string_view zone) const override {
        auto const found = listed_.find(zone);
        if (found == listed_.end()) return std::nullopt;
        return found->second;
    }
    bool quota_holds(const config::Rule& rule, const filters::QuotaClient& client) const override {
        return quotas_.hold(rule, client);
    }
    std::optional<filters::Reservation> reserve(const config::Rule& rule,
                                                const filters::QuotaClient& client) override {
        return quotas_.reserve(rule, client);
    }
    void commit(filters::Reservation reservation) override {
        quotas_.commit(std::move(reservation));
    }
    void cancel(filters::Reservation reservation) override {
        quotas_.cancel(std::move(reservation));
    }
    std::optional<filters::Invitation> show_invitation(std::string_view domain,
                                                       std::string_view token) override {
        return invitations_.show(domain, token);
    }
    bool begin(filters::Invitation& invitation) override { return invitations_.begin(invitation); }
    void end(filters::Invitation& invitation, bool used) override {
        invitations_.end(invitation, used);
    }
    void give_back(filters::Invitation invitation) override {
        invitations_.give_back(std::move(invitation));
    }

private:
    std::shared_ptr<const Snapshot> snapshot_;
    SharedQuotas& quotas_;
    SharedInvitations& invitations_;
    std::map<std::string, bool, std::less<>> listed_;
};

}  // namespace stanzagate::proxy
