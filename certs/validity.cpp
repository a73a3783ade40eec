#include "certs/validity.hpp"

#include <algorithm>
#include <ctime>

namespace stanzagate::certs {

TimePoint time_of(const ASN1_TIME* time) {
    std::tm calendar{};
    if (ASN1_TIME_to_tm(time, &calendar) != 1) return {};
    const std::chrono::sys_seconds seconds{std::chrono::seconds(timegm(&calendar))};
    constexpr auto first = std::chrono::ceil<std::chrono::seconds>(TimePoint::min());
    constexpr auto last = std::chrono::floor<std::chrono::seconds>(TimePoint::max());
    return std::clamp(seconds, first, last);
}

std::string date_text(TimePoint time) {
    const std::chrono::year_month_day date(std::chrono::floor<std::chrono::days>(time));
    const auto two_digits = [](unsigned number) {
        return (number < 10 ? "-0" : "-") + std::to_string(number);
    };
    return std::to_string(static_cast<int>(date.year())) +
           two_digits(static_cast<unsigned>(date.month())) +
           two_digits(static_cast<unsigned>(date.day()));
}

std::string days_text(TimePoint::duration time) {
    const auto days = std::chrono::floor<std::chrono::days>(time).count();
    if (days == 0) return "less than a day";
    return std::to_string(days) + (days == 1 ? " day" : " days");
}

std::string past_text(TimePoint time, TimePoint now) {
    return days_text(now - time) + " ago, on " + date_text(time);
}

}  // namespace stanzagate::certs
