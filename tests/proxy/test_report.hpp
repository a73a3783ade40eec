#pragma once

#include "proxy/report.hpp"

namespace stanzagate::proxy::testing {

// A process with something to tell of everything.
inline Report test_report() {
    using namespace std::chrono_literals;
    using std::chrono::sys_days;
    Report report;
    report.version = "1.2.3";
    report.started = sys_days(std::chrono::year(2030) / 1 / 2) + 3h;
    report.now = report.started + 26h + 1500ms;
    report.workers = 2;
    auto& totals = report.totals;
    totals.connections[ConnectionKind::starttls][ConnectionStage::handshake] = 1;
    totals.connections[ConnectionKind::direct][ConnectionStage::relaying] = 1200;
    totals.connections[ConnectionKind::http][ConnectionStage::open] = 7;
    totals.connections_total[ConnectionKind::bosh] = 9;
    totals.handshakes[HandshakeResult::ok] = 30;
    totals.handshakes[HandshakeResult::timeout] = 2;
    totals.relayed_bytes[Direction::to_client] = 12'345'678'901;
    totals.stream_errors[filters::StreamErrorCondition::policy_violation] = 4;
    totals.refused_connections[Admission::Refusal::connect_rate] = 5;
    totals.session_ends[SessionEnd::client_closed] = 6;
    totals.registrations = {{{"example.org", "default", "redirect", "get"}, 12},
                            {{"example.org", "default", "redirect", "set"}, 3},
                            {{"*.example.net", "a \"b\"\\", "forward", "set"}, 1},
                            {{"unknown", "default", "redirect", "flow"}, 2}};
    totals.upstream_failures = {{{"example.org"}, 8}};
    report.reloads = {.ok = 3, .failed = 1};
    report.quotas_out_of_space = 10;
    report.dns_list_failures = 11;
    report.certificates = {{"example.org", report.now + 24h * 30 + 500ms},
                           {"*.example.net", report.now - 1h}};
    report.upstreams = {{"example.org",
                         "tcp://192.0.2.1:5222",
                         {.count = 8, .last = report.now - 4s, .reason = "Connection refused"}},
                        {"*.example.net", "tls://192.0.2.2:5223", {}}};
    report.decisions = {{.when = report.now - 1s,
                         .host = "example.org",
                         .rule = "default",
                         .action = filters::Action::redirect,
                         .request = filters::RequestKind::get,
                         .transport = filters::Transport::bosh,
                         .peer = config::Address::parse("203.0.113.9")},
                        {.when = report.now - 2s,
                         .host = "a.example.net",
                         .rule = "office",
                         .action = filters::Action::forward,
                         .request = filters::RequestKind::set,
                         .transport = filters::Transport::starttls,
                         .peer = config::Address::parse("2001:db8:1:2::3")},
                        {.when = report.now - 3s, .host = "example.org", .rule = "default"}};
    report.minutes = {{.forwarded = 1, .open = 5}, {.redirected = 2, .open = 6}};
    return report;
}

}  // namespace stanzagate::proxy::testing
