#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "filters/bosh_session.hpp"

namespace stanzagate::filters {

// A BoshSession with a client, a server and a clock to play with. Notes what the session promises
// and does not keep.
class BoshClient {
public:
    explicit BoshClient(const BoshSettings& settings = {});

    // Sends <body ATTRIBUTES>PAYLOAD</body>; the id of that request.
    BoshRequestId send(const std::string& attributes, const std::string& payload = "");
    // The same with sid, and a rid relative to the session's first.
    BoshRequestId send_rid(unsigned rid, const std::string& attributes = "",
                           const std::string& payload = "");
    // A usual session request; then with the server's header and features, which answer it.
    BoshRequestId create(const std::string& more = "wait='60' hold='1' ver='1.6'");
    void open(const std::string& more = "wait='60' hold='1' ver='1.6'");
    void lose(BoshRequestId id);
    void server(std::string_view bytes);
    void server_gone();
    void terminate(std::string_view condition);
    void upstream_takes(bool takes);
    // Lets time pass, and the session do what it does meanwhile.
    void pass(std::chrono::milliseconds time);

    // What a request was answered with: the body, or "HTTP 404". Nothing: not yet.
    std::optional<std::string> answer(BoshRequestId id) const;
    std::string take_upstream();
    BoshSession& session() { return session_; }
    std::optional<BoshEnd> ended;
    std::string broken_promise;

    static constexpr unsigned first_rid = 1000;

private:
    void apply(const BoshEffects& effects);

    BoshSession session_;
    BoshSession::Time now_{};
    BoshRequestId last_id_ = 0;
    std::map<BoshRequestId, std::string> answers_;
    std::map<BoshRequestId, BoshSession::Time> asked_;
    std::vector<BoshRequestId> lost_;
    std::string upstream_;
};

inline constexpr std::string_view bosh_server_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='i7' from='example.org' version='1.0'>";
inline constexpr std::string_view bosh_server_features =
    "<stream:features><bind xmlns='urn:b'/></stream:features>";
inline constexpr std::string_view sasl_success =
    "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
inline constexpr std::string_view empty_body =
    "<body xmlns='http://jabber.org/protocol/httpbind'/>";

// An empty response with these attributes.
std::string body_of(const std::string& attributes, const std::string& payload = "");

}  // namespace stanzagate::filters
