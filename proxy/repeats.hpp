#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "proxy/log_field.hpp"

namespace stanzagate::proxy {

// Keeps what a flood repeats from flooding the log. Lines are alike where they differ only in what
// is of one session alone; of those the first is written, and the others are counted, until
// nothing has come for a whole window. Time is a parameter.
// Memory: while there are `most_kinds` of them, those that are new are told apart by all but what
// clients choose, their address and the host that they name; of these there are few.
class Repeats {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds window{10};
    static constexpr std::size_t most_kinds = 512;

    struct Told {
        config::LogLevel level;
        std::string event;
        std::vector<Field> fields;  // and how many more there were
    };

    // Whether the line is to be written; else it was counted. `times`: what it stands for.
    bool is_first(config::LogLevel level, std::string_view event, std::span<const Field> fields,
                  Clock::time_point now, std::uint64_t times = 1);
    // What is to be said of the windows that are over.
    std::vector<Told> over(Clock::time_point now);

private:
    struct Kind {
        Told line;
        Clock::time_point end;
        std::uint64_t more = 0;
    };

    std::map<std::string, Kind, std::less<>> kinds_;
};

}  // namespace stanzagate::proxy
