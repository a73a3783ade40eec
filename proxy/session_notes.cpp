#include <chrono>
#include <string_view>
#include <utility>

#include "filters/policy.hpp"
#include "proxy/counters.hpp"
#include "proxy/negotiation.hpp"
#include "proxy/recent.hpp"
#include "proxy/session.hpp"
#include "proxy/worker.hpp"

// What a session leaves behind: a line in the log and a count, both in one place for each thing.
namespace stanzagate::proxy {

// By the name that the operator wrote, and not the client's: there are only so many of these.
const config::Host* Session::configured_host() const {
    return negotiation_->snapshot->config.find_host(negotiation_->gate->host());
}

void Session::note_effects(const filters::Effects& effects) {
    if (effects.findings.any())
        if (auto const* const host = configured_host())
            worker_.warn_once(effects.findings, host->name.to_string());
    for (auto const& registration : effects.registrations) note_registration(registration);
    if (effects.stream_error) note_stream_error(*effects.stream_error, negotiation_->gate->host());
}

void Session::note_registration(const filters::RegistrationEvent& registration) {
    auto const request = filters::to_string(registration.request);
    auto const action = filters::to_string(registration.action);
    auto const& host = negotiation_->gate->host();
    auto const* const configured = configured_host();
    auto const name = configured ? configured->name.to_string() : "unknown";
    worker_.counters().registrations.add({name, registration.rule, action, request});
    worker_.recent().decided({.when = std::chrono::system_clock::now(),
                              .host = host,
                              .rule = std::string(registration.rule),
                              .action = registration.action,
                              .request = registration.request,
                              .transport = transport_,
                              .peer = peer_known_ ? std::optional(peer_.address) : std::nullopt});
    if (!worker_.log().is_on(config::LogLevel::info)) return;
    worker_.log().info("registration", {{"session", id_},
                                        {"peer", peer_.address.to_string()},
                                        {"host", host},
                                        {"transport", filters::to_string(transport_)},
                                        {"request", request},
                                        {"rule", registration.rule},
                                        {"action", action}});
}

void Session::note_stream_error(filters::StreamErrorCondition condition, const std::string& host) {
    worker_.counters().stream_errors[condition].add();
    if (!worker_.log().is_on(config::LogLevel::info)) return;
    worker_.log().info("stream_error", {{"session", id_},
                                        {"peer", peer_.address.to_string()},
                                        {"host", host},
                                        {"transport", filters::to_string(transport_)},
                                        {"condition", filters::to_string(condition)}});
}

// `from`: the stage in which it ends. `failure`: of its handshake.
void Session::note_end(Stage from, std::string_view failure) {
    if (from == Stage::handshake) note_handshake(why_);
    worker_.counters().session_ends[why_].add();
    place_.leave();
    if (!worker_.log().is_on(config::LogLevel::info)) return;
    using std::chrono::milliseconds;
    auto const lasted = std::chrono::steady_clock::now() - began_;
    worker_.log().info("session_end",
                       {{"session", id_},
                        {"peer", peer_.address.to_string()},
                        {"host", host_},
                        {"transport", filters::to_string(transport_)},
                        {"why", to_string(why_)},
                        {"reason", failure},
                        {"authenticated", authenticated_ ? "yes" : "no"},
                        {"bytes", relayed_},
                        {"ms", std::chrono::duration_cast<milliseconds>(lasted).count()}});
}

// A handshake that came to nothing; one that was done is counted where the session goes on.
void Session::note_handshake(SessionEnd why) {
    auto result = HandshakeResult::failed;
    if (why == SessionEnd::timeout) result = HandshakeResult::timeout;
    if (why == SessionEnd::drained) result = HandshakeResult::drained;
    worker_.counters().handshakes[result].add();
}

}  // namespace stanzagate::proxy
