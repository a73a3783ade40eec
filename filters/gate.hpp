#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/clear_stream.hpp"
#include "filters/effects.hpp"
#include "filters/frame.hpp"
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
//   3. What follows a SASL element, a jabber:iq:auth set or an XEP-0445 token waits for the
//   upstream's
//      answer, so that nothing is read in the wrong state.
//   4. Its own answers enter the client's stream between two frames, after the upstream's header
//   and
//      features.
// Order of calls: receive() for the client; tls_done() after start_tls; upstream_ready() or
// upstream_failed() after connect; then receive() for both. After Command::close or relay: nothing.
// Borrows the policy (and its configuration), which must outlive it.
class Gate {
public:
    // Whether the client's stream begins in the clear (a STARTTLS door) or behind TLS already.
    enum class Door : std::uint8_t { starttls, secure };

    // `stream_id` is for a header of the gate's own and must be unpredictable.
    Gate(const Policy& policy, Peer peer, Door door, std::string stream_id);

    Effects receive(Side from, std::string_view bytes);
    Effects tls_done(std::string stream_id);  // a new id: RFC 6120 section 4.7.3
    Effects upstream_ready();
    Effects upstream_failed();
    Effects eof(Side from);
    Effects timed_out();
    Effects draining();

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
    };
    enum class Watched : std::uint8_t { none, authentication, invitation };

    void begin_secure(std::string stream_id);
    void pump(Effects& out);
    bool step_client(Effects& out);
    bool step_upstream(Effects& out);

    void on_client_header(const Frame& header, Effects& out);
    void on_client_element(const Frame& element, Effects& out);
    void on_registration(const Frame& element, const RegistrationRequest& request, Effects& out);
    void on_watched(const Frame& iq, Watched what, Effects& out);
    void forward(const Frame& frame, Effects& out);

    void on_upstream_header(const Frame& header, Effects& out);
    void on_upstream_element(const Frame& element, Effects& out);
    void on_features(const Frame& features, Effects& out);
    bool on_sasl(const Frame& element);
    bool on_iq_answer(const Frame& iq);
    void relay(Effects& out);

    Decision decide(RequestKind kind, const std::optional<std::string>& to) const;
    void answer_client(const std::string& xml, Effects& out);
    void release_answers(Effects& out);
    bool may_answer() const { return opened_ && (featured_ || !features_expected_); }
    void fail(StreamErrorCondition condition, std::string_view detail, Effects& out);
    void open_client_stream(Effects& out);
    void close(Effects& out);

    const Policy& policy_;
    Peer peer_;
    std::string stream_id_;
    Phase phase_;
    Hold hold_ = Hold::none;

    std::unique_ptr<ClearStream> clear_;
    std::unique_ptr<StanzaFramer> client_;
    std::unique_ptr<StanzaFramer> upstream_;

    const config::Host* host_ = nullptr;
    std::string host_name_;
    std::string client_from_;                // of the client's header
    std::string stream_lang_;                // likewise
    std::string client_header_;              // until the upstream is there
    std::string root_name_{stream_element};  // as the upstream wrote it

    std::string waiting_answers_;
    std::vector<std::string> outstanding_;  // ids of forwarded requests without an answer
    std::string watched_id_;
    Watched watched_ = Watched::none;

    bool features_expected_ = false;
    bool opened_ = false;         // a stream header went out to the client
    bool featured_ = false;       // and its features
    bool client_closed_ = false;  // sent </stream:stream>
    bool upstream_closed_ = false;
    bool upstream_erred_ = false;  // sent <stream:error/>
    bool invited_ = false;
};

}  // namespace stanzagate::filters
