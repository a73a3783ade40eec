#include "config/schedule.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include <date/tz.h>

#include "config/diagnostics.hpp"
#include "config/host_name.hpp"
#include "config/nearest_word.hpp"

namespace stanzagate::config {
namespace {

using std::chrono::minutes;

constexpr std::array<std::string_view, 7> day_names{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};
constexpr minutes whole_day{24 * 60};

std::string how(std::string_view what) {
    return std::string(what) +
           "; write days (if not every day), hours and a time zone (if not UTC), as in "
           "\"Mon-Fri 08:00-18:00 Europe/Stockholm\"";
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + 1)) {
        end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
    }
    return parts;
}

std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words = split(text, ' ');
    std::erase_if(words, [](std::string_view word) { return word.empty(); });
    return words;
}

std::optional<std::size_t> parse_day(std::string_view text) {
    const auto found = std::ranges::find(day_names, ascii_lower(text));
    if (found == day_names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - day_names.begin());
}

Parsed<std::bitset<7>> parse_days(std::string_view text) {
    std::bitset<7> days;
    for (const std::string_view part : split(text, ',')) {
        const std::size_t dash = part.find('-');
        const std::string_view first_name = part.substr(0, dash);
        const std::string_view last_name =
            dash == std::string_view::npos ? first_name : part.substr(dash + 1);
        const auto first = parse_day(first_name);
        const auto last = parse_day(last_name);
        if (!first || !last)
            return in_quotes(first ? last_name : first_name) +
                   " is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun, a range "
                   "(\"Mon-Fri\"), or several with commas (\"Mon,Wed-Fri\")";
        for (std::size_t day = *first; day != *last; day = (day + 1) % days.size()) days.set(day);
        days.set(*last);
    }
    return days;
}

// "HH:MM", from 00:00 to 24:00.
std::optional<minutes> parse_time(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto two_digits = [](std::string_view digits) -> std::optional<int> {
        if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
        return (digits[0] - '0') * 10 + (digits[1] - '0');
    };
    const auto hour = two_digits(text.substr(0, 2));
    const auto minute = two_digits(text.substr(3));
    if (!hour || !minute || *minute > 59) return std::nullopt;
    const minutes time{*hour * 60 + *minute};
    if (time > whole_day) return std::nullopt;
    return time;
}

Parsed<std::pair<minutes, minutes>> parse_window(std::string_view text) {
    const std::size_t dash = text.find('-');
    const std::string_view start_text = text.substr(0, dash);
    const std::string_view end_text =
        dash == std::string_view::npos ? std::string_view() : text.substr(dash + 1);
    const auto start = parse_time(start_text);
    const auto end = parse_time(end_text);
    if (dash == std::string_view::npos || !start || !end)
        return how(in_quotes(text) + " is not a time of day from HH:MM to HH:MM");
    if (*start == whole_day)
        return in_quotes(text) + " starts at 24:00; write 00:00 of the next day";
    if (*start == *end)
        return in_quotes(text) + " starts and ends at the same time; for all day write 00:00-24:00";
    return std::pair(*start, *end);
}

std::string unknown_zone(std::string_view name, const date::tzdb& zones) {
    std::vector<std::string> names;
    names.reserve(zones.zones.size());
    for (const date::time_zone& zone : zones.zones) names.push_back(zone.name());
    std::string hint = did_you_mean(name, names);
    if (hint.empty()) {
        // "Stockholm" is a likely slip too.
        const std::string ending = '/' + ascii_lower(name);
        const auto meant = std::ranges::find_if(
            names, [&](const std::string& one) { return ascii_lower(one).ends_with(ending); });
        if (meant != names.end()) hint = "; did you mean \"" + *meant + "\"?";
    }
    if (hint.empty())
        hint = "; write a name of the IANA database, as in \"Europe/Stockholm\" or \"UTC\"";
    return in_quotes(name) + " is not a time zone" + hint;
}

// The library reads the system's zone files and throws what goes wrong.
Parsed<const date::time_zone*> find_zone(std::string_view name) {
    if (name == "UTC") return nullptr;
    try {
        const date::tzdb& zones = date::get_tzdb();
        const auto zone = std::ranges::find(zones.zones, name, &date::time_zone::name);
        if (zone == zones.zones.end()) return unknown_zone(name, zones);
        // A zone's own file is read when it is first asked: now, and not at the first decision.
        zone->get_info(date::sys_seconds{});
        return &*zone;
    } catch (const std::exception& error) {
        return "the time zones of this system cannot be read (Debian has them in the package "
               "tzdata): " +
               one_line(error.what());
    }
}

}  // namespace

Parsed<Schedule> Schedule::parse(std::string_view text) {
    std::vector<std::string_view> words = words_of(text);
    const auto is_window = [](std::string_view word) {
        return word.find(':') != std::string_view::npos;
    };
    const auto window_word = std::ranges::find_if(words, is_window);
    const auto before = window_word - words.begin();
    if (window_word == words.end() || before > 1 || words.end() - window_word > 2)
        return how(in_quotes(text) + " is not a time of the week");

    Schedule schedule;
    schedule.text_ = text;
    schedule.days_.set();
    if (before == 1) {
        auto days = parse_days(words.front());
        if (auto* wrong = std::get_if<std::string>(&days)) return std::move(*wrong);
        schedule.days_ = std::get<Days>(days);
    }
    auto window = parse_window(*window_word);
    if (auto* wrong = std::get_if<std::string>(&window)) return std::move(*wrong);
    std::tie(schedule.start_, schedule.end_) = std::get<std::pair<minutes, minutes>>(window);
    if (window_word + 1 != words.end()) {
        auto zone = find_zone(*(window_word + 1));
        if (auto* wrong = std::get_if<std::string>(&zone)) return std::move(*wrong);
        schedule.zone_ = std::get<const date::time_zone*>(zone);
    }
    return schedule;
}

bool Schedule::is_always() const {
    return days_.all() && start_ == minutes{0} && end_ == whole_day;
}

bool Schedule::holds(std::chrono::system_clock::time_point now) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
    const auto offset =
        zone_ == nullptr ? std::chrono::seconds{0} : zone_->get_info(seconds).offset;
    // The reading of the wall clock, as if it stood in UTC.
    const auto wall = seconds + offset;
    const auto today = std::chrono::floor<std::chrono::days>(wall);
    const std::chrono::seconds time = wall - today;
    const unsigned day = std::chrono::weekday(today).c_encoding();
    if (start_ < end_) return days_.test(day) && time >= start_ && time < end_;
    const unsigned yesterday = (day + 6) % 7;
    return (days_.test(day) && time >= start_) || (days_.test(yesterday) && time < end_);
}

}  // namespace stanzagate::config
