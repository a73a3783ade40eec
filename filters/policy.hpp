#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "config/list_contents.hpp"
#include "config/network_set.hpp"
#include "config/rules.hpp"
#include "filters/world.hpp"

namespace stanzagate::filters {

using config::Action;
using config::Transport;

enum class RequestKind : std::uint8_t {
    get,   // XEP-0077 get: "how do I register?"
    set,   // XEP-0077 set: "register me"
    flow,  // XEP-0389 register
};

std::string_view to_string(Action action);
std::string_view to_string(Transport transport);
std::string_view to_string(RequestKind kind);

// Who is at the other end of a client connection.
struct Peer {
    // Empty where a proxy would not say (PROXY "UNKNOWN"): then no list of addresses matches.
    std::optional<config::Address> address;
    Transport transport = Transport::starttls;
};

// A quota that a forwarded request uses, and the domain it is for.
struct QuotaUse {
    const config::Rule* rule = nullptr;
    std::string domain;
};

// A registration request, as far as a decision depends on it. Views need to live for the call only.
struct PolicyRequest {
    std::string_view host;                         // the stream's `to`, a domain in lower case
    std::optional<std::string_view> other_domain;  // the domain of the iq's own `to`, if it has one
    const Peer& peer;
    RequestKind kind = RequestKind::get;
    // Of which domain the upstream has accepted this client's XEP-0445 token; empty: of none.
    std::string_view invited_to{};
    std::span<const QuotaUse> spent{};  // quotas that turned out to have nothing left
    // DNS lists that have been asked: what is not known of them by now counts as not listed.
    std::span<const std::string> asked{};
};

// What of a rule may not hold, in the order in which it is looked at.
enum class MatchKey : std::uint8_t {
    host,
    transport,
    invited,
    from,
    not_from,
    during,
    country,
    dnsbl,
    quota,
};
std::string_view to_string(MatchKey key);

// What was found of one rule on the way to a decision.
struct Step {
    const config::Rule* rule = nullptr;
    std::optional<MatchKey> failed;  // empty: it matches, and decides
};

// What becomes of a request, and why. Its pointers and views live as long as the Policy.
struct Decision {
    Action action = Action::redirect;
    std::string_view rule;
    const config::Registration* registration = nullptr;  // whose text and url answer it
    const config::Rule* decided_by = nullptr;            // null: what [registration] says by itself
    bool by_other_domain = false;  // the iq's own `to` decided, not the stream's host
    // Where the request is forwarded: the quotas it uses, at most one for each domain;
    // once where both share it.
    std::vector<QuotaUse> quotas{};
    bool by_invitation = false;  // it is forwarded because the client is invited
    // Not empty: these DNS lists have to be asked before anything can be decided; the rest of the
    // decision means nothing.
    std::vector<std::string> unknown_lists{};
};

// Decides registration requests by what the operator configured (contract: "What a client sees",
// point 1, and "Rule files"): the rules of the host in their order, then its whitelist, then
// redirect. Immutable; borrows the configuration, which must outlive it.
class Policy {
public:
    // `lists`: what the files of Config::lists hold (config::read_lists()).
    explicit Policy(const config::Config& config, const config::ListContents& lists = {});

    // The stream's host decides; where the request names another domain, that one must forward too.
    // `steps`, where given, gets what was found of the rules of the stream's host.
    Decision decide(const PolicyRequest& request, const World& world,
                    std::vector<Step>* steps = nullptr) const;

    const config::Config& config() const { return *config_; }

private:
    class Addresses {
    public:
        Addresses() = default;
        Addresses(const config::AddressMatch& match, const config::Config& config,
                  const config::ListContents& lists);
        bool contain(const config::Address& address) const;

    private:
        config::NetworkSet networks_;
        std::vector<std::shared_ptr<const config::NetworkSet>> files_;
    };
    struct CompiledRule {
        const config::Rule* rule = nullptr;
        Addresses from;
        Addresses not_from;
    };
    struct Question;

    Decision decide_for(std::string_view domain, const Question& question,
                        std::vector<Step>* steps) const;
    static std::optional<MatchKey> first_failing(const CompiledRule& compiled,
                                                 std::string_view domain, const Question& question);
    Decision ask_first(const Question& question) const;
    bool is_whitelisted(const config::Host& host, const Peer& peer) const;

    const config::Config* config_;
    std::vector<CompiledRule> rules_;             // as in Config::rules
    std::vector<config::NetworkSet> whitelists_;  // as in Config::hosts
};

}  // namespace stanzagate::filters
