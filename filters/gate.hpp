#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filters/clear_stream.hpp"
#include "filters/effects.hpp"
#include "filters/frame.hpp"
#include "filters/lax_reading.hpp"
#include "filters/policy.hpp"
#include "filters/registration.hpp"
#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {

// Everything the gate knows of XMPP, for one session, from the first byte to authentication: a pure
// state machine that is fed bytes and events and says what to send and do. It keeps these promises:
//   1. What it forwards are the received bytes, whole frames, in order; an element that is not
//      forwarded leaves no byte behind on the other side.
//   2. Only the upstream's word authenticates: <success/> while an exchange runs, or the result of
//      a jabber:iq:auth set. From the '>' of that on, bytes are relayed unread.
//   3. What follows a SASL element, a jabber:iq:auth set or an XEP-0445 token waits for the answer
//      of the upstream, so that nothing is read in the wrong state.
//   4. Its own answers enter the client's stream between two frames, after the header and features
//      of the upstream.
//   5. A request whose rule has a quota, or that an invitation lets through, is watched like them:
//      its `result` is what uses up the one or the other. XEP-0389's <register/> is not, since it
//      takes several steps; there <success/> is.
//   6. What a client may send and ask for is bounded in all, and so is what is answered at once.
// Order of calls: receive() for the client; tls_done() after start_tls; upstream_ready() or
// upstream_failed() after connect; then receive() for both; looked_up() after a look-up and
// delay_over() after a delay; go_on() while unfinished(). After Command::close or relay: nothing.
// Borrows the policy (and its configuration) and the world, which must outlive it; use() puts
// another policy in the old one's place.
class Gate {
public:
    // Whether the client's stream begins in the clear (a STARTTLS door) or behind TLS already.
    enum class Door : std::uint8_t { starttls, secure };

    // `stream_id` is for a header of the gate's own and must be unpredictable.
    Gate(const Policy& policy, World& world, Peer peer, Door door, std::string stream_id);
    ~Gate();
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    // What is decided from now on is decided by this one.
    void use(const Policy& policy);

    Effects receive(Side from, std::string_view bytes);
    Effects tls_done(std::string stream_id);  // a new id: RFC 6120 section 4.7.3
    Effects upstream_ready();
    Effects upstream_failed();
    Effects looked_up();
    Effects delay_over();
    Effects eof(Side from);
    Effects timed_out();
    Effects draining();

    // Whether something that was received has been left for later, since there is enough to be sent
    // already. Then nobody is wanted to say more: once what there is has been taken, go_on().
    bool unfinished() const { return unfinished_; }
    Effects go_on();

    // Whether bytes of this side can be used now. A driver reads no more while they cannot.
    bool wants(Side side) const;
    // The stream's `to` as a domain, once it is known.
    const std::string& host() const { return host_name_; }

private:
    enum class Phase : std::uint8_t { clear, securing, opening, connecting, open, over };
    enum class Hold : std::uint8_t {
        none,
        features,  // an answer waits for the upstream's header and features
        sasl,      // the upstream's answer to a SASL element
        answer,    // the upstream's answer to the watched iq
        answers,   // too many requests are unanswered
        look_up,   // DNS lists are being asked
        delay,     // the answer to a request has to wait
    };
    enum class Watched : std::uint8_t { none, authentication, invitation, registration };
    // A frame that waits for DNS lists, with bytes of its own.
    struct Kept {
        Kept(const Frame& original, std::vector<std::string> zones)
            : raw(original.raw), frame(original), asked(std::move(zones)) {
            frame.raw = raw;
        }
        Kept(const Kept&) = delete;
        Kept& operator=(const Kept&) = delete;

        std::string raw;
        Frame frame;
        std::vector<std::string> asked;  // those lists, and all that it has waited for before
    };
    struct Delayed {
        std::string answer;  // empty: the stream ends
        std::string_view error_detail;
        StreamErrorCondition condition = StreamErrorCondition::policy_violation;
    };

    void begin_secure(std::string stream_id);
    void pump(Effects& out);
    bool step_client(Effects& out);
    bool step_upstream(Effects& out);

    void on_client_header(const Frame& header, Effects& out);
    void on_client_element(const Frame& element, Effects& out);
    void on_sasl_of_client(const Frame& element, Effects& out);
    bool can_be_misread(const Frame& element);
    void refuse(const Frame& element, Effects& out);
    void on_registration(const Frame& element, const RegistrationRequest& request,
                         std::vector<std::string> asked, Effects& out);
    void turn_down(const RegistrationRequest& request, const Decision& decision, Effects& out);
    void deliver(const Delayed& verdict, Effects& out);
    std::optional<QuotaUse> reserve(const Decision& decision);
    void settle(bool used);
    bool begin_invitation();
    void drop_invitation();
    bool may_be_watched(const Frame& iq) const;
    void on_watched(const Frame& iq, Watched what, Effects& out);
    std::unique_ptr<Kept> keep(const Frame& frame, std::vector<std::string> asked,
                               std::vector<std::string> zones, Effects& out);
    void forward(const Frame& frame, Effects& out);

    void on_upstream_header(const Frame& header, Effects& out);
    void on_upstream_element(const Frame& element, Effects& out);
    void on_features(const Frame& features, std::vector<std::string> asked, Effects& out);
    bool on_sasl(const Frame& element);
    bool on_iq_answer(const Frame& iq);
    void relay(Effects& out);

    Decision decide(RequestKind kind, const std::optional<std::string>& to,
                    std::span<const std::string> asked, std::span<const QuotaUse> spent = {}) const;
    void answer_client(const std::string& xml, Effects& out);
    void release_answers(Effects& out);
    bool may_answer() const { return opened_ && (featured_ || !features_expected_); }
    void fail(StreamErrorCondition condition, std::string_view detail, Effects& out);
    void open_client_stream(Effects& out);
    void close(Effects& out);

    const Policy* policy_;
    World& world_;
    Peer peer_;
    std::string stream_id_;
    Phase phase_;
    Hold hold_ = Hold::none;

    std::unique_ptr<ClearStream> clear_;
    std::unique_ptr<StanzaFramer> client_;
    std::unique_ptr<StanzaFramer> upstream_;

    const config::Host* host_ = nullptr;
    std::string host_name_;
    LaxReading lax_reading_;                 // of what the client says
    std::string client_from_;                // of its header
    std::string stream_lang_;                // likewise
    std::string client_header_;              // until the upstream is there
    std::string root_name_{stream_element};  // as the upstream wrote it

    std::string waiting_answers_;
    std::vector<std::string> outstanding_;  // ids of forwarded requests without an answer
    std::string watched_id_;
    Watched watched_ = Watched::none;
    std::string watched_domain_;             // whose token is being judged
    std::string watched_token_;              // and that one
    std::optional<Invitation> invitation_;   // that was accepted and is not used up
    std::vector<Reservation> reservations_;  // of the registration that is under way
    std::unique_ptr<Kept> kept_element_;     // of the client, until lists have been asked
    std::unique_ptr<Kept> kept_features_;    // of the upstream, likewise
    std::optional<Delayed> delayed_;
    unsigned invitations_tried_ = 0;
    std::size_t client_bytes_ = 0;  // received of it in all
    unsigned requests_ = 0;         // for registration, likewise
    bool unfinished_ = false;

    bool features_expected_ = false;
    bool opened_ = false;         // a stream header went out to the client
    bool featured_ = false;       // and its features
    bool client_closed_ = false;  // sent </stream:stream>
    bool upstream_closed_ = false;
    bool upstream_erred_ = false;  // sent <stream:error/>
};

}  // namespace stanzagate::filters
