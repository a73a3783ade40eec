#pragma once

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "filters/invitations.hpp"

namespace stanzagate::proxy {

// The invitations that are shown just now, for all workers together.
class SharedInvitations {
public:
    std::optional<filters::Invitation> show(std::string_view domain, std::string_view token) {
        std::lock_guard const lock(mutex_);
        return invitations_.show(domain, token);
    }
    bool begin(filters::Invitation& invitation) {
        std::lock_guard const lock(mutex_);
        return invitations_.begin(invitation);
    }
    void end(filters::Invitation& invitation, bool used) {
        std::lock_guard const lock(mutex_);
        invitations_.end(invitation, used);
    }
    void give_back(filters::Invitation invitation) {
        std::lock_guard const lock(mutex_);
        invitations_.give_back(std::move(invitation));
    }

private:
    std::mutex mutex_;
    filters::Invitations invitations_;
};

}  // namespace stanzagate::proxy
