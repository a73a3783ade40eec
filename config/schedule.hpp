#pragma once

#include <bitset>
#include <chrono>
#include <string>
#include <string_view>

#include "config/units.hpp"

namespace date {
class time_zone;
}

namespace stanzagate::config {

// When a rule holds: "[DAYS] HH:MM-HH:MM [ZONE]", as in "Mon-Fri 08:00-18:00 Europe/Stockholm".
//
// DAYS is a list of days and ranges of days with commas ("Mon,Wed-Fri", "Sat-Mon"); every day where
// it is absent. The end is not part of the window; "24:00" is the end of the day. A window that
// ends before it starts goes on past midnight, and belongs to the day it began on: "Fri
// 22:00-06:00" ends on Saturday morning. ZONE is a name of the IANA time zone database; UTC where
// it is absent.
//
// It is the clock on the wall that counts: where the clock is put forward, a window inside the
// skipped hour does not come that day, and where it is put back, the repeated hour counts twice.
class Schedule {
public:
    static Parsed<Schedule> parse(std::string_view text);

    // Reads no clock and no file: the zone has been looked up by parse().
    bool holds(std::chrono::system_clock::time_point now) const;
    // Whether it is the whole week.
    bool is_always() const;
    // As it was written.
    const std::string& to_string() const { return text_; }

    bool operator==(const Schedule&) const = default;

private:
    using Minutes = std::chrono::minutes;
    using Days = std::bitset<7>;  // from Sunday

    Days days_;
    Minutes start_{};
    Minutes end_{};
    const date::time_zone* zone_ = nullptr;  // of the library's own list, which stays; null: UTC
    std::string text_;
};

}  // namespace stanzagate::config
