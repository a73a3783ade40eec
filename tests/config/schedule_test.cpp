#include "config/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

using std::chrono::system_clock;
using testing::HasSubstr;

// "2024-03-31 00:59", in UTC.
system_clock::time_point utc(std::string_view text) {
    const auto number = [&](std::size_t at, std::size_t size) {
        return std::stoi(std::string(text.substr(at, size)));
    };
    using namespace std::chrono;
    const sys_days day =
        year(number(0, 4)) / month(static_cast<unsigned>(number(5, 2))) / number(8, 2);
    return day + hours(number(11, 2)) + minutes(number(14, 2)) +
           seconds(text.size() > 16 ? number(17, 2) : 0);
}

Schedule schedule(std::string_view text) {
    auto parsed = Schedule::parse(text);
    if (const auto* wrong = std::get_if<std::string>(&parsed)) ADD_FAILURE() << *wrong;
    return std::get<Schedule>(parsed);
}

struct HoldsCase {
    const char* name;
    std::string_view during;
    std::string_view now;  // in UTC
    bool holds;
};

void PrintTo(const HoldsCase& test, std::ostream* out) {
    *out << test.during << " at " << test.now << " UTC";
}

class ScheduleHolds : public testing::TestWithParam<HoldsCase> {};

TEST_P(ScheduleHolds, WhereTheWallClockSaysSo) {
    EXPECT_EQ(schedule(GetParam().during).holds(utc(GetParam().now)), GetParam().holds);
}

// 2024-06-05 was a Wednesday.
INSTANTIATE_TEST_SUITE_P(
    Utc, ScheduleHolds,
    testing::Values(
        HoldsCase{"before", "08:00-18:00", "2024-06-05 07:59:59", false},
        HoldsCase{"start", "08:00-18:00", "2024-06-05 08:00:00", true},
        HoldsCase{"last_second", "08:00-18:00", "2024-06-05 17:59:59", true},
        HoldsCase{"end", "08:00-18:00", "2024-06-05 18:00:00", false},
        HoldsCase{"written_utc", "08:00-18:00 UTC", "2024-06-05 08:00:00", true},
        HoldsCase{"all_day_first", "Wed 00:00-24:00", "2024-06-05 00:00:00", true},
        HoldsCase{"all_day_last", "Wed 00:00-24:00", "2024-06-05 23:59:59", true},
        HoldsCase{"all_day_next", "Wed 00:00-24:00", "2024-06-06 00:00:00", false},
        HoldsCase{"all_day_before", "Wed 00:00-24:00", "2024-06-04 23:59:59", false},
        HoldsCase{"to_midnight", "Wed 22:00-24:00", "2024-06-05 23:00", true},
        HoldsCase{"to_midnight_not_past", "Wed 22:00-24:00", "2024-06-06 00:00", false},
        HoldsCase{"to_zero", "Wed 22:00-00:00", "2024-06-05 23:00", true},
        HoldsCase{"to_zero_not_past", "Wed 22:00-00:00", "2024-06-06 00:00", false},
        HoldsCase{"day_in_range", "Mon-Fri 08:00-18:00", "2024-06-07 12:00", true},
        HoldsCase{"day_after_range", "Mon-Fri 08:00-18:00", "2024-06-08 12:00", false},
        HoldsCase{"day_list", "Mon,Wed,Sun 08:00-18:00", "2024-06-09 12:00", true},
        HoldsCase{"day_not_in_list", "Mon,Wed,Sun 08:00-18:00", "2024-06-04 12:00", false},
        HoldsCase{"list_with_range", "Mon,Wed-Fri 08:00-18:00", "2024-06-06 12:00", true},
        HoldsCase{"list_with_range_gap", "Mon,Wed-Fri 08:00-18:00", "2024-06-04 12:00", false},
        HoldsCase{"wrap_start", "Fri-Mon 08:00-18:00", "2024-06-07 12:00", true},
        HoldsCase{"wrap_sunday", "Fri-Mon 08:00-18:00", "2024-06-09 12:00", true},
        HoldsCase{"wrap_end", "Fri-Mon 08:00-18:00", "2024-06-10 12:00", true},
        HoldsCase{"wrap_gap_first", "Fri-Mon 08:00-18:00", "2024-06-11 12:00", false},
        HoldsCase{"wrap_gap_last", "Fri-Mon 08:00-18:00", "2024-06-06 12:00", false},
        HoldsCase{"one_day_range", "Wed-Wed 08:00-18:00", "2024-06-05 12:00", true},
        HoldsCase{"one_day_range_other", "Wed-Wed 08:00-18:00", "2024-06-06 12:00", false},
        HoldsCase{"lower_case", "mon-FRI 08:00-18:00", "2024-06-05 12:00", true},
        HoldsCase{"many_spaces", "  Wed   08:00-18:00  ", "2024-06-05 12:00", true},
        HoldsCase{"night_evening", "Fri 22:00-06:00", "2024-06-07 22:00", true},
        HoldsCase{"night_morning", "Fri 22:00-06:00", "2024-06-08 05:59:59", true},
        HoldsCase{"night_over", "Fri 22:00-06:00", "2024-06-08 06:00", false},
        HoldsCase{"night_not_yet", "Fri 22:00-06:00", "2024-06-07 21:59:59", false},
        HoldsCase{"morning_of_its_day", "Fri 22:00-06:00", "2024-06-07 03:00", false},
        HoldsCase{"night_sunday_to_monday", "Sun 22:00-06:00", "2024-06-10 03:00", true},
        HoldsCase{"night_saturday_to_sunday", "Sat 22:00-06:00", "2024-06-09 03:00", true},
        HoldsCase{"night_next_evening", "Sat 22:00-06:00", "2024-06-09 23:00", false},
        HoldsCase{"before_1970", "Wed 22:00-23:00", "1969-12-31 22:30", true}),
    NamedCase{});

// Stockholm: UTC+1, from 2024-03-31 01:00 UTC on UTC+2, from 2024-10-27 01:00 UTC on UTC+1.
// New York: UTC-5, from 2024-03-10 07:00 UTC on UTC-4, from 2024-11-03 06:00 UTC on UTC-5.
// Kathmandu: UTC+5:45, always.
INSTANTIATE_TEST_SUITE_P(
    Zones, ScheduleHolds,
    testing::Values(
        HoldsCase{"winter_start", "08:00-18:00 Europe/Stockholm", "2024-01-10 07:00", true},
        HoldsCase{"winter_before", "08:00-18:00 Europe/Stockholm", "2024-01-10 06:59:59", false},
        HoldsCase{"summer_start", "08:00-18:00 Europe/Stockholm", "2024-07-10 06:00", true},
        HoldsCase{"summer_before", "08:00-18:00 Europe/Stockholm", "2024-07-10 05:59:59", false},
        HoldsCase{"summer_end", "08:00-18:00 Europe/Stockholm", "2024-07-10 16:00", false},
        // 01:59:59 is followed by 03:00.
        HoldsCase{"spring_last", "01:00-02:00 Europe/Stockholm", "2024-03-31 00:59:59", true},
        HoldsCase{"spring_first", "03:00-04:00 Europe/Stockholm", "2024-03-31 01:00", true},
        HoldsCase{"spring_skipped_1", "02:00-03:00 Europe/Stockholm", "2024-03-31 00:59:59", false},
        HoldsCase{"spring_skipped_2", "02:00-03:00 Europe/Stockholm", "2024-03-31 01:00", false},
        HoldsCase{"spring_end", "01:30-02:30 Europe/Stockholm", "2024-03-31 01:00", false},
        // 02:59:59 is followed by 02:00.
        HoldsCase{"autumn_once", "02:00-03:00 Europe/Stockholm", "2024-10-27 00:00", true},
        HoldsCase{"autumn_twice", "02:00-03:00 Europe/Stockholm", "2024-10-27 01:00", true},
        HoldsCase{"autumn_last", "02:00-03:00 Europe/Stockholm", "2024-10-27 01:59:59", true},
        HoldsCase{"autumn_over", "02:00-03:00 Europe/Stockholm", "2024-10-27 02:00", false},
        HoldsCase{"autumn_ends_twice", "01:00-02:30 Europe/Stockholm", "2024-10-27 00:45", false},
        HoldsCase{"autumn_again", "01:00-02:30 Europe/Stockholm", "2024-10-27 01:15", true},
        HoldsCase{"new_york_before_spring", "Sun 01:00-02:00 America/New_York",
                  "2024-03-10 06:59:59", true},
        HoldsCase{"new_york_spring", "Sun 03:00-04:00 America/New_York", "2024-03-10 07:00", true},
        HoldsCase{"new_york_skipped", "Sun 02:00-03:00 America/New_York", "2024-03-10 07:00",
                  false},
        HoldsCase{"new_york_autumn_once", "Sun 01:00-02:00 America/New_York", "2024-11-03 05:00",
                  true},
        HoldsCase{"new_york_autumn_twice", "Sun 01:00-02:00 America/New_York", "2024-11-03 06:59",
                  true},
        HoldsCase{"new_york_autumn_over", "Sun 01:00-02:00 America/New_York", "2024-11-03 07:00",
                  false},
        // The day is the zone's own: Monday 02:00 UTC is Sunday evening there.
        HoldsCase{"new_york_day", "Sun 20:00-24:00 America/New_York", "2024-06-10 02:00", true},
        HoldsCase{"new_york_not_utc_day", "Mon 00:00-24:00 America/New_York", "2024-06-10 02:00",
                  false},
        // Sunday into Monday, while the clock changes in between.
        HoldsCase{"spring_night", "Sat 22:00-06:00 Europe/Stockholm", "2024-03-31 03:59:59", true},
        HoldsCase{"spring_night_over", "Sat 22:00-06:00 Europe/Stockholm", "2024-03-31 04:00",
                  false},
        HoldsCase{"autumn_night", "Sat 22:00-06:00 Europe/Stockholm", "2024-10-27 04:59:59", true},
        HoldsCase{"autumn_night_over", "Sat 22:00-06:00 Europe/Stockholm", "2024-10-27 05:00",
                  false},
        HoldsCase{"kathmandu_start", "Thu 00:00-01:00 Asia/Kathmandu", "2024-06-05 18:15", true},
        HoldsCase{"kathmandu_before", "Thu 00:00-01:00 Asia/Kathmandu", "2024-06-05 18:14:59",
                  false},
        HoldsCase{"kathmandu_end", "Thu 00:00-01:00 Asia/Kathmandu", "2024-06-05 19:15", false},
        HoldsCase{"kathmandu_week_wrap", "Sun 22:00-06:00 Asia/Kathmandu", "2024-06-10 00:14",
                  true},
        HoldsCase{"kathmandu_week_wrap_over", "Sun 22:00-06:00 Asia/Kathmandu", "2024-06-10 00:15",
                  false}),
    NamedCase{});

struct WrongCase {
    const char* name;
    std::string_view text;
    std::string_view says;
};

void PrintTo(const WrongCase& test, std::ostream* out) {
    *out << test.text;
}

class WrongSchedule : public testing::TestWithParam<WrongCase> {};

TEST_P(WrongSchedule, IsExplained) {
    const auto parsed = Schedule::parse(GetParam().text);
    const auto* wrong = std::get_if<std::string>(&parsed);
    ASSERT_NE(wrong, nullptr);
    EXPECT_THAT(*wrong, HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongSchedule,
    testing::Values(
        WrongCase{"empty", "", "\"\" is not a time of the week"},
        WrongCase{"days_only", "Mon-Fri", "is not a time of the week"},
        WrongCase{"too_much", "Mon Tue 08:00-18:00", "is not a time of the week"},
        WrongCase{"after_zone", "08:00-18:00 UTC summer", "is not a time of the week"},
        WrongCase{"long_day", "Monday 08:00-18:00", "\"Monday\" is not a day"},
        WrongCase{"long_second_day", "Mon-Friday 08:00-18:00", "\"Friday\" is not a day"},
        WrongCase{"empty_day", "Mon, 08:00-18:00", "\"\" is not a day"},
        WrongCase{"open_range", "Mon- 08:00-18:00", "\"\" is not a day"},
        WrongCase{"three_days", "Mon-Tue-Wed 08:00-18:00", "\"Tue-Wed\" is not a day"},
        WrongCase{"no_end", "08:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"empty_end", "08:00-", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"one_digit", "8:00-18:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"minute", "08:60-18:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"hour", "08:00-25:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"after_24", "08:00-24:01", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"sign", "+8:00-18:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"seconds", "08:00:00-18:00:00", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"american", "08:00am-06:00pm", "is not a time of day from HH:MM to HH:MM"},
        WrongCase{"equal", "08:00-08:00", "for all day write 00:00-24:00"},
        WrongCase{"from_24", "24:00-06:00", "starts at 24:00"},
        WrongCase{"zone_typo", "08:00-18:00 Europe/Stokholm", "did you mean \"Europe/Stockholm\"?"},
        WrongCase{"zone_city", "08:00-18:00 stockholm", "did you mean \"Europe/Stockholm\"?"},
        WrongCase{"zone_case", "08:00-18:00 europe/stockholm",
                  "did you mean \"Europe/Stockholm\"?"},
        WrongCase{"zone_nowhere", "08:00-18:00 Middle-Earth/Shire",
                  "write a name of the IANA database"},
        WrongCase{"zone_path", "08:00-18:00 ../../../etc/passwd", "is not a time zone"},
        WrongCase{"zone_abbreviation", "08:00-18:00 CEST", "is not a time zone"}),
    NamedCase{});

TEST(Schedule, IsComparedByWhatItSays) {
    EXPECT_EQ(schedule("Mon 08:00-18:00"), schedule("Mon 08:00-18:00"));
    EXPECT_NE(schedule("Mon 08:00-18:00"), schedule("Tue 08:00-18:00"));
    EXPECT_NE(schedule("08:00-18:00"), schedule("08:00-18:00 Europe/Stockholm"));
    EXPECT_EQ(schedule("Mon 08:00-18:00").to_string(), "Mon 08:00-18:00");
}

}  // namespace
}  // namespace stanzagate::config
