#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "filters/gate.hpp"
#include "filters/jid.hpp"
#include "filters/stream_features.hpp"
#include "filters/xml_tags.hpp"

// What single first-level elements mean to the gate, by direction. Its events and phases stand in
// gate.cpp.
namespace stanzagate::filters {
namespace {

// A client that leaves more requests than this unanswered waits until the upstream has caught up.
constexpr std::size_t most_outstanding = 32;

// Invitation tokens that one client may try.
constexpr unsigned most_invitations = 3;

constexpr std::string_view starttls_failure =
    "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></";
constexpr std::string_view compression_failure =
    "<failure xmlns='http://jabber.org/protocol/compress'><setup-failed/></failure>";

bool is_sasl(const Element& element) {
    return element.ns == Namespace::sasl || element.ns == Namespace::sasl2;
}

bool is_answer(const Attributes& attributes) {
    return attributes.type == "result" || attributes.type == "error";
}

const Element* child_in(const Element& iq, Namespace ns) {
    auto const found = std::find_if(iq.children.begin(), iq.children.end(),
                                    [&](auto const& child) { return child.ns == ns; });
    return found == iq.children.end() ? nullptr : &*found;
}

// XEP-0445 section 3.
std::string token_of(const Frame& iq) {
    auto const* const child = child_in(iq.root, Namespace::pars);
    for (auto const& attribute : written_attributes(tag_at(iq.raw.substr(child->begin))))
        if (attribute.name == "token") return attribute_value(attribute.quoted);
    return {};
}

}  // namespace

void Gate::on_client_element(const Frame& element, Effects& out) {
    auto const& root = element.root;
    bool const misleading = can_be_misread(element);
    if (auto const request = registration_request(element)) {
        if (requests_++ == policy_->config().limits.negotiation_requests)
            return fail(StreamErrorCondition::policy_violation, {}, out);
        return on_registration(element, *request, {}, out);
    }

    if (misleading) return refuse(element, out);

    // The upstream's leg is not the client's: what would change the one cannot pass through the
    // other. Neither was offered.
    if (root.is(Namespace::tls, "starttls")) {
        open_client_stream(out);
        out.to_client += starttls_failure;  // RFC 6120 section 5.4.2.2
        out.to_client += root_name_;
        out.to_client += '>';
        return close(out);
    }
    if (root.is(Namespace::compress, "compress"))
        return answer_client(std::string(compression_failure), out);

    if (is_sasl(root)) return on_sasl_of_client(element, out);
    if (root.local == "iq" && !is_answer(element.attributes)) {
        if (child_in(root, Namespace::iq_auth) && element.attributes.type != "get")
            return on_watched(element, Watched::authentication, out);
        // A server may judge a token in a `get` as well, which XEP-0445 does not know.
        if (child_in(root, Namespace::pars)) {
            // Tokens are not to be guessed (XEP-0445 section 6).
            if (invitations_tried_++ == most_invitations)
                return fail(StreamErrorCondition::policy_violation, {}, out);
            auto const& to = element.attributes.to;
            watched_domain_ = to ? domain_of(*to) : host_name_;
            watched_token_ = token_of(element);
            return on_watched(element, Watched::invitation, out);
        }
    }
    forward(element, out);
}

// Before authentication Prosody gives every element to the host that its `to` names: an exchange
// that one of its hosts has begun would go on by the accounts of another.
void Gate::on_sasl_of_client(const Frame& element, Effects& out) {
    auto const& to = element.attributes.to;
    if (element.attributes.qualified || (to && domain_of(*to) != host_name_))
        return fail(StreamErrorCondition::policy_violation, {}, out);
    hold_ = Hold::sasl;
    forward(element, out);
}

// Whether some server would read the element in another way than XML and its namespaces have it, so
// that something else could be decided by it.
bool Gate::can_be_misread(const Frame& element) {
    if (lax_reading_.may_see_another(element)) return true;
    return element.root.local == "iq" && element.attributes.qualified;
}

void Gate::refuse(const Frame& element, Effects& out) {
    if (element.root.local == "iq") return answer_client(bad_request(element.attributes), out);
    fail(StreamErrorCondition::policy_violation, {}, out);
}

void Gate::on_registration(const Frame& element, const RegistrationRequest& request,
                           std::vector<std::string> asked, Effects& out) {
    if (request.ambiguous) return answer_client(bad_request(element.attributes), out);
    // A flow of XEP-0389 that nobody has ended: how many there may be at once is not for us to say.
    if (request.creates) settle(true);
    auto const& to = request.to;
    bool watched = false;
    std::vector<QuotaUse> spent;
    Decision decision;
    for (;;) {
        decision = decide(request.kind, to, asked, spent);
        if (!decision.unknown_lists.empty()) {
            kept_element_ = keep(element, std::move(asked), std::move(decision.unknown_lists), out);
            hold_ = Hold::look_up;
            return;
        }
        if (decision.action != Action::forward) break;
        if (can_be_misread(element)) return refuse(element, out);
        // What is asked for is forwarded whatever is left; what is done uses it up.
        if (!request.creates) break;
        watched = request.stanza && (decision.by_invitation || !decision.quotas.empty());
        if (watched && !may_be_watched(element))
            return answer_client(bad_request(element.attributes), out);
        // Another session may have taken the last one just now. Then it is decided as if nothing
        // were left, so each time round one quota fewer can be in the way.
        if (decision.by_invitation && !begin_invitation()) continue;
        auto missing = reserve(decision);
        if (!missing) break;
        spent.push_back(*std::move(missing));
    }

    out.registrations.push_back({request.kind, decision.action, decision.rule});
    if (decision.action != Action::forward) return turn_down(request, decision, out);
    if (watched) return on_watched(element, Watched::registration, out);
    forward(element, out);
}

void Gate::turn_down(const RegistrationRequest& request, const Decision& decision, Effects& out) {
    Delayed verdict;
    if (decision.action != Action::close && !request.stanza) {
        verdict.condition = StreamErrorCondition::undefined_condition;
        verdict.error_detail = invalid_flow;
    } else if (decision.action != Action::close) {
        auto const host = decision.by_other_domain ? domain_of(*request.to) : host_name_;
        verdict.answer = answer(request, decision, {host, stream_lang_, peer_});
    }
    auto const delay =
        decision.decided_by ? decision.decided_by->delay : std::chrono::milliseconds(0);
    if (delay.count() == 0) return deliver(verdict, out);
    delayed_ = std::move(verdict);
    hold_ = Hold::delay;
    out.wait = delay;
}

void Gate::deliver(const Delayed& verdict, Effects& out) {
    if (verdict.answer.empty()) return fail(verdict.condition, verdict.error_detail, out);
    answer_client(verdict.answer, out);
}

// All of the decision's quotas, or none: then the one that has nothing left.
std::optional<QuotaUse> Gate::reserve(const Decision& decision) {
    for (auto const& use : decision.quotas) {
        auto reservation = world_.reserve(*use.rule, {peer_.address, use.domain});
        if (!reservation) {
            settle(false);
            return use;
        }
        reservations_.push_back(*std::move(reservation));
    }
    return std::nullopt;
}

// What the registration that is under way has taken, if one is.
void Gate::settle(bool used) {
    for (auto& reservation : reservations_) {
        if (used)
            world_.commit(std::move(reservation));
        else
            world_.cancel(std::move(reservation));
    }
    reservations_.clear();
    if (!invitation_ || !invitation_->in_use()) return;
    world_.end(*invitation_, used);
    if (used) drop_invitation();  // one invitation, one account
}

// Many streams may have shown one token. False where another one has used it: then this one is not
// invited any more.
bool Gate::begin_invitation() {
    if (world_.begin(*invitation_)) return true;
    drop_invitation();
    return false;
}

void Gate::drop_invitation() {
    if (invitation_) world_.give_back(*std::exchange(invitation_, std::nullopt));
}

// Until these zones have been asked. Each is asked once for a frame, so this comes to an end.
std::unique_ptr<Gate::Kept> Gate::keep(const Frame& frame, std::vector<std::string> asked,
                                       std::vector<std::string> zones, Effects& out) {
    asked.insert(asked.end(), zones.begin(), zones.end());
    std::move(zones.begin(), zones.end(), std::back_inserter(out.look_up));
    return std::make_unique<Kept>(frame, std::move(asked));
}

// An iq whose `result` changes what the gate does. It must be certain which answer is its own: it
// needs an id that no other unanswered request has, and nothing else is sent until it is answered.
// An empty id is none: servers answer with it what came without an id (RFC 6120 section 8.2.3).
void Gate::on_watched(const Frame& iq, Watched what, Effects& out) {
    if (!may_be_watched(iq)) return answer_client(bad_request(iq.attributes), out);
    watched_ = what;
    watched_id_ = *iq.attributes.id;
    forward(iq, out);
    hold_ = Hold::answer;
}

bool Gate::may_be_watched(const Frame& iq) const {
    auto const& id = iq.attributes.id;
    return iq.attributes.type == "set" && iq.root.children.size() == 1 && id && !id->empty() &&
           std::find(outstanding_.begin(), outstanding_.end(), *id) == outstanding_.end();
}

// Whatever type it has: servers answer an iq of an unknown one with an error.
void Gate::forward(const Frame& frame, Effects& out) {
    out.to_upstream += frame.raw;
    auto const& id = frame.attributes.id;
    if (frame.root.local != "iq" || is_answer(frame.attributes) || !id) return;
    outstanding_.push_back(*id);
    if (outstanding_.size() >= most_outstanding && hold_ == Hold::none) hold_ = Hold::answers;
}

void Gate::on_upstream_element(const Frame& element, Effects& out) {
    auto const& root = element.root;
    if (root.is(Namespace::streams, "features")) return on_features(element, {}, out);
    bool const authenticated =
        is_sasl(root)
            ? on_sasl(element)
            : root.local == "iq" && is_answer(element.attributes) && on_iq_answer(element);
    if (root.ns == Namespace::extensible_ibr && root.local == "success") settle(true);
    if (root.ns == Namespace::extensible_ibr && root.local == "cancel") settle(false);
    if (root.is(Namespace::streams, "error")) upstream_erred_ = true;
    out.to_client += element.raw;
    if (authenticated) relay(out);
}

void Gate::on_features(const Frame& features, std::vector<std::string> asked, Effects& out) {
    using Wanted = FeatureEdits::Registration;
    out.findings = look_at_features(features);
    if (out.findings.starttls_only)
        return fail(StreamErrorCondition::internal_server_error, {}, out);

    auto const& registration = host_ ? host_->registration : policy_->config().registration;
    bool const is_automatic = registration.advertise == config::Advertise::automatic;
    bool const has_flows = features.root.child(Namespace::extensible_ibr, "register") != nullptr;
    Decision get;
    Decision flow;
    if (is_automatic) get = decide(RequestKind::get, std::nullopt, asked);
    if (has_flows) flow = decide(RequestKind::flow, std::nullopt, asked);
    auto& zones = get.unknown_lists.empty() ? flow.unknown_lists : get.unknown_lists;
    if (!zones.empty()) {
        kept_features_ = keep(features, std::move(asked), std::move(zones), out);
        return;
    }

    auto const& limits = policy_->config().limits;
    FeatureEdits edits;
    edits.max_bytes = limits.stanza_size;
    edits.idle_seconds = static_cast<std::size_t>(
        std::chrono::duration_cast<std::chrono::seconds>(limits.negotiation_timeout).count());
    edits.hide_registration_flows = flow.action != Action::forward;
    switch (registration.advertise) {
        case config::Advertise::upstream:
            break;
        case config::Advertise::always:
            edits.registration = Wanted::present;
            break;
        case config::Advertise::never:
            edits.registration = Wanted::absent;
            break;
        case config::Advertise::automatic:
            if (get.action == Action::redirect)
                edits.registration = Wanted::present;
            else if (get.action != Action::forward)
                edits.registration = Wanted::absent;
    }
    featured_ = true;
    out.to_client += rewrite_features(features, edits);
    release_answers(out);
}

// True where the client is authenticated by this element.
bool Gate::on_sasl(const Frame& element) {
    if (hold_ != Hold::sasl) return false;
    auto const& name = element.root.local;
    if (name == "success") return true;
    if (name == "challenge" || name == "failure" || name == "continue" || name == "task-data")
        hold_ = Hold::none;
    return false;
}

// Likewise (XEP-0078 section 3.1).
bool Gate::on_iq_answer(const Frame& iq) {
    auto const& id = iq.attributes.id;
    if (!id) return false;
    if (auto const found = std::find(outstanding_.begin(), outstanding_.end(), *id);
        found != outstanding_.end())
        outstanding_.erase(found);
    if (hold_ == Hold::answers && outstanding_.size() < most_outstanding) hold_ = Hold::none;
    if (hold_ != Hold::answer || *id != watched_id_) return false;

    hold_ = Hold::none;
    bool const accepted = iq.attributes.type == "result";
    auto const what = std::exchange(watched_, Watched::none);
    if (accepted && what == Watched::invitation) {
        drop_invitation();
        invitation_ = world_.show_invitation(watched_domain_, watched_token_);
    }
    if (what == Watched::registration) settle(accepted);
    // A result that says anything lists the fields that the server wants to have (section 3.1).
    return accepted && what == Watched::authentication && iq.root.children.empty();
}

Decision Gate::decide(RequestKind kind, const std::optional<std::string>& to,
                      std::span<const std::string> asked, std::span<const QuotaUse> spent) const {
    PolicyRequest request{.host = host_name_,
                          .other_domain = std::nullopt,
                          .peer = peer_,
                          .kind = kind,
                          .invited_to = invitation_ ? invitation_->domain() : std::string_view{},
                          .spent = spent,
                          .asked = asked};
    std::string domain;
    if (to) {
        domain = domain_of(*to);
        request.other_domain = domain;
    }
    return policy_->decide(request, world_);
}

}  // namespace stanzagate::filters
