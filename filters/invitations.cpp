#include "filters/invitations.hpp"

namespace stanzagate::filters {

std::optional<Invitation> Invitations::show(std::string_view domain, std::string_view token) {
    if (token.empty() || token.size() > longest_token) return std::nullopt;
    std::string key(domain);
    key += '\0';
    key += token;
    auto const uses = all_.try_emplace(std::move(key)).first;
    Invitation invitation(std::string(domain), uses);
    ++uses->second.shares;
    return invitation;
}

bool Invitations::begin(Invitation& invitation) {
    auto& uses = invitation.uses_->second;
    if (uses.under_way || uses.done != invitation.done_before_) return false;
    uses.under_way = invitation.in_use_ = true;
    return true;
}

void Invitations::end(Invitation& invitation, bool used) {
    if (!std::exchange(invitation.in_use_, false)) return;
    auto& uses = invitation.uses_->second;
    uses.under_way = false;
    if (used) ++uses.done;
}

void Invitations::give_back(Invitation invitation) {
    end(invitation, true);  // nobody knows any more what became of it
    if (--invitation.uses_->second.shares == 0) all_.erase(invitation.uses_);
}

}  // namespace stanzagate::filters
