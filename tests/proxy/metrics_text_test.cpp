#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/proxy/test_report.hpp"

namespace stanzagate::proxy {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

std::string without_help(const std::string& text) {
    std::string rest;
    for (auto const& line : lines_of(text))
        if (!line.starts_with("# HELP")) rest += line + '\n';
    return rest;
}

// Names, types and labels are what people's dashboards and alerts are written for.
TEST(MetricsText, IsWrittenOut) {
    EXPECT_EQ(without_help(metrics_text(testing::test_report())),
              R"(# TYPE stanzagate_connections gauge
stanzagate_connections{transport="starttls",stage="handshake"} 1
stanzagate_connections{transport="starttls",stage="negotiating"} 0
stanzagate_connections{transport="starttls",stage="relaying"} 0
stanzagate_connections{transport="direct",stage="handshake"} 0
stanzagate_connections{transport="direct",stage="negotiating"} 0
stanzagate_connections{transport="direct",stage="relaying"} 1200
stanzagate_connections{transport="websocket",stage="negotiating"} 0
stanzagate_connections{transport="websocket",stage="relaying"} 0
stanzagate_connections{transport="bosh",stage="negotiating"} 0
stanzagate_connections{transport="bosh",stage="relaying"} 0
stanzagate_connections{transport="http",stage="open"} 7
# TYPE stanzagate_connections_total counter
stanzagate_connections_total{transport="starttls"} 0
stanzagate_connections_total{transport="direct"} 0
stanzagate_connections_total{transport="websocket"} 0
stanzagate_connections_total{transport="bosh"} 9
stanzagate_connections_total{transport="http"} 0
# TYPE stanzagate_handshakes_total counter
stanzagate_handshakes_total{result="ok"} 30
stanzagate_handshakes_total{result="failed"} 0
stanzagate_handshakes_total{result="timeout"} 2
stanzagate_handshakes_total{result="drained"} 0
# TYPE stanzagate_registrations_total counter
stanzagate_registrations_total{host="*.example.net",rule="a \"b\"\\",action="forward",request="set"} 1
stanzagate_registrations_total{host="example.org",rule="default",action="redirect",request="get"} 12
stanzagate_registrations_total{host="example.org",rule="default",action="redirect",request="set"} 3
stanzagate_registrations_total{host="unknown",rule="default",action="redirect",request="flow"} 2
# TYPE stanzagate_relayed_bytes_total counter
stanzagate_relayed_bytes_total{direction="to_upstream"} 0
stanzagate_relayed_bytes_total{direction="to_client"} 12345678901
# TYPE stanzagate_stream_errors_total counter
stanzagate_stream_errors_total{condition="bad-format"} 0
stanzagate_stream_errors_total{condition="bad-namespace-prefix"} 0
stanzagate_stream_errors_total{condition="host-unknown"} 0
stanzagate_stream_errors_total{condition="improper-addressing"} 0
stanzagate_stream_errors_total{condition="internal-server-error"} 0
stanzagate_stream_errors_total{condition="invalid-namespace"} 0
stanzagate_stream_errors_total{condition="not-authorized"} 0
stanzagate_stream_errors_total{condition="not-well-formed"} 0
stanzagate_stream_errors_total{condition="policy-violation"} 4
stanzagate_stream_errors_total{condition="resource-constraint"} 0
stanzagate_stream_errors_total{condition="restricted-xml"} 0
stanzagate_stream_errors_total{condition="system-shutdown"} 0
stanzagate_stream_errors_total{condition="undefined-condition"} 0
stanzagate_stream_errors_total{condition="unsupported-encoding"} 0
stanzagate_stream_errors_total{condition="unsupported-version"} 0
# TYPE stanzagate_refused_connections_total counter
stanzagate_refused_connections_total{reason="connections"} 0
stanzagate_refused_connections_total{reason="connections_per_address"} 0
stanzagate_refused_connections_total{reason="connect_rate"} 5
# TYPE stanzagate_upstream_failures_total counter
stanzagate_upstream_failures_total{host="*.example.net"} 0
stanzagate_upstream_failures_total{host="example.org"} 8
# TYPE stanzagate_certificate_expiry_seconds gauge
stanzagate_certificate_expiry_seconds{host="example.org"} 2592000
stanzagate_certificate_expiry_seconds{host="*.example.net"} -3600
# TYPE stanzagate_reloads_total counter
stanzagate_reloads_total{result="ok"} 3
stanzagate_reloads_total{result="failed"} 1
# TYPE stanzagate_build_info gauge
stanzagate_build_info{version="1.2.3"} 1
# TYPE stanzagate_session_ends_total counter
stanzagate_session_ends_total{why="client_closed"} 6
stanzagate_session_ends_total{why="upstream_closed"} 0
stanzagate_session_ends_total{why="refused"} 0
stanzagate_session_ends_total{why="handshake_failed"} 0
stanzagate_session_ends_total{why="timeout"} 0
stanzagate_session_ends_total{why="upstream_failed"} 0
stanzagate_session_ends_total{why="network_error"} 0
stanzagate_session_ends_total{why="drained"} 0
stanzagate_session_ends_total{why="failed"} 0
# TYPE stanzagate_quotas_out_of_space_total counter
stanzagate_quotas_out_of_space_total 10
# TYPE stanzagate_dns_list_failures_total counter
stanzagate_dns_list_failures_total 11
# TYPE stanzagate_start_time_seconds gauge
stanzagate_start_time_seconds 1893553200
)");
}

TEST(MetricsText, ExplainsEveryMetric) {
    std::set<std::string> explained;
    std::set<std::string> typed;
    for (auto const& line : lines_of(metrics_text(testing::test_report()))) {
        auto const name = line.substr(7, line.find(' ', 7) - 7);
        if (line.starts_with("# HELP ")) explained.insert(name);
        if (line.starts_with("# TYPE ")) typed.insert(name);
    }
    EXPECT_EQ(explained, typed);
    EXPECT_EQ(typed.size(), 15U);
}

}  // namespace
}  // namespace stanzagate::proxy
