#include "proxy/status_command.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/admin_socket.hpp"
#include "proxy/error_text.hpp"

namespace stanzagate::proxy {
namespace {

namespace json = boost::json;

constexpr std::size_t most_bytes = std::size_t{16} * 1024 * 1024;

// An address that means "all of this machine" is reached by its loopback one.
config::AdminAddress reachable(config::AdminAddress address) {
    using config::Address;
    auto* const endpoint = std::get_if<config::Endpoint>(&address.where);
    if (!endpoint) return address;
    if (endpoint->address == Address::from(Address::V4{}))
        endpoint->address = Address::from(Address::V4{127, 0, 0, 1});
    if (endpoint->address == Address::from(Address::V6{})) {
        Address::V6 loopback{};
        loopback.back() = 1;
        endpoint->address = Address::from(loopback);
    }
    return address;
}

// What the call before has failed for.
std::string why_failed() {
    // How a socket with a time limit tells that it has passed: connect(2), recv(2).
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS)
        return "no answer within " + std::to_string(longest_admin_wait.count()) + " s";
    return error_text(errno);
}

bool send_all(const Fd& fd, std::string_view bytes) {
    while (!bytes.empty()) {
        auto const sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::optional<std::string> receive_all(const Fd& fd) {
    std::string received;
    std::array<char, 16384> buffer{};
    while (received.size() < most_bytes) {
        auto const size = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (size < 0) return std::nullopt;
        if (size == 0) break;
        received.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return received;
}

using Row = std::vector<std::string>;

// Columns as wide as their widest cell. Those whose cells are numbers are aligned to the right.
class Table {
public:
    explicit Table(Row head) { rows_.push_back(std::move(head)); }

    void add(Row row) { rows_.push_back(std::move(row)); }
    bool has_rows() const { return rows_.size() > 1; }
    std::string to_string() const {
        std::string text;
        for (auto const& row : rows_) {
            std::string line;
            for (std::size_t i = 0; i < row.size(); ++i) {
                std::string const space(width(i) - row[i].size(), ' ');
                if (i != 0) line += "  ";
                line += is_numbers(i) ? space + row[i] : row[i] + space;
            }
            line.erase(line.find_last_not_of(' ') + 1);
            text += line + '\n';
        }
        return text;
    }

private:
    std::size_t width(std::size_t column) const {
        std::size_t widest = 0;
        for (auto const& row : rows_) widest = std::max(widest, row[column].size());
        return widest;
    }
    bool is_numbers(std::size_t column) const {
        return std::all_of(rows_.begin() + 1, rows_.end(), [&](auto const& row) {
            auto const& cell = row[column];
            return cell.find_first_not_of("0123456789", cell.starts_with('-') ? 1 : 0) ==
                   std::string::npos;
        });
    }

    std::vector<Row> rows_;
};

std::string number(const json::value& value) {
    return std::to_string(value.to_number<std::int64_t>());
}

std::string text(const json::value& value) {
    auto const& string = value.as_string();
    return {string.data(), string.size()};
}

std::string duration(std::int64_t seconds) {
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 60 * minute;
    constexpr std::int64_t day = 24 * hour;
    auto const two = [&](std::int64_t unit, const char* big, std::int64_t smaller,
                         const char* small) {
        return std::to_string(seconds / unit) + ' ' + big + ' ' +
               std::to_string(seconds % unit / smaller) + ' ' + small;
    };
    if (seconds >= day) return two(day, "d", hour, "h");
    if (seconds >= hour) return two(hour, "h", minute, "min");
    if (seconds >= minute) return two(minute, "min", 1, "s");
    return std::to_string(seconds) + " s";
}

std::string connections(const json::object& status) {
    Table table({"connections", "handshake", "negotiating", "relaying", "open"});
    for (auto const& [kind, stages] : status.at("connections").as_object()) {
        auto const count = [&](std::string_view stage) {
            auto const* const found = stages.as_object().if_contains(stage);
            return found ? number(*found) : std::string();
        };
        table.add({std::string(kind), count("handshake"), count("negotiating"), count("relaying"),
                   count("open")});
    }
    return table.to_string();
}

// By rule and action, for all hosts together.
std::string decisions(const json::object& status) {
    struct Counts {
        std::int64_t get = 0;
        std::int64_t set = 0;
        std::int64_t flow = 0;
    };
    std::map<std::pair<std::string, std::string>, Counts> by_rule;
    for (auto const& line : status.at("registrations").as_array()) {
        auto& counts = by_rule[{text(line.at("rule")), text(line.at("action"))}];
        auto const request = text(line.at("request"));
        auto& count = request == "get" ? counts.get : request == "set" ? counts.set : counts.flow;
        count += line.at("count").to_number<std::int64_t>();
    }
    Table table({"decisions", "action", "get", "set", "flow"});
    for (auto const& [rule, counts] : by_rule)
        table.add({rule.first, rule.second, std::to_string(counts.get), std::to_string(counts.set),
                   std::to_string(counts.flow)});
    return table.has_rows() ? table.to_string() : "decisions: none yet\n";
}

std::string certificates(const json::object& status) {
    Table table({"certificates", "expires", "days left"});
    for (auto const& line : status.at("certificates").as_array())
        table.add({text(line.at("host")), text(line.at("expires")).substr(0, 10),
                   number(line.at("days_left"))});
    return table.has_rows() ? table.to_string() : "certificates: none\n";
}

}  // namespace

std::variant<std::string, StatusError> ask_status(config::AdminAddress address) {
    address = reachable(std::move(address));
    auto const failed = [&](const std::string& why) {
        return StatusError{address.to_string() + ": " + why};
    };
    if (auto const* const endpoint = address.endpoint(); endpoint && endpoint->port == 0)
        return failed("port 0 is chosen anew at each start, so nobody knows where to ask");
    auto const fd = connect_to_admin(address);
    if (!fd) return failed(why_failed());
    auto const received =
        send_all(fd, "GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            ? receive_all(fd)
            : std::nullopt;
    if (!received) return failed(why_failed());
    auto const head_end = received->find("\r\n\r\n");
    if (!received->starts_with("HTTP/1.1 200 ") || head_end == std::string::npos)
        return failed("what answers there is no stanzagate");
    return received->substr(head_end + 4);
}

std::variant<std::string, StatusError> status_table(std::string_view text_of_it) try {
    auto const value = json::parse(text_of_it);
    auto const& status = value.as_object();
    std::string out = "stanzagate " + text(status.at("version")) + ", up " +
                      duration(status.at("uptime_seconds").to_number<std::int64_t>()) + ", " +
                      number(status.at("workers")) +
                      (status.at("workers") == 1 ? " worker" : " workers");
    out += status.at("draining").as_bool() ? ", draining\n\n" : "\n\n";
    return out + connections(status) + '\n' + decisions(status) + '\n' + certificates(status);
} catch (const std::exception&) {
    return StatusError{"what answers there is no stanzagate of this version"};
}

}  // namespace stanzagate::proxy
