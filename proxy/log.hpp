#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "proxy/log_field.hpp"
#include "proxy/repeats.hpp"

namespace spdlog {
class logger;
}

namespace stanzagate::proxy {

// The log: one event a line on standard error, as logfmt or JSON with the same keys. Any thread.
// Events and fields, no prose; never a stanza's content, SASL data or a password. Nobody ever waits
// for who reads it: lines that a full pipe does not take are counted, and log_lost tells of them
// later.
class Log {
public:
    using Fields = std::initializer_list<Field>;

    explicit Log(const config::LogSettings& settings);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    bool is_on(config::LogLevel level) const { return level >= settings_.level; }
    void write(config::LogLevel level, std::string_view event, Fields fields) const;

    void debug(std::string_view event, Fields fields) const;
    void info(std::string_view event, Fields fields) const;
    void warning(std::string_view event, Fields fields) const;
    void error(std::string_view event, Fields fields) const;

    // For what a flood of clients or failures would repeat (Repeats): the first of it at once, and
    // of the others how many there were, by tell_repeats(). `times`: so often has it happened.
    void write_first(config::LogLevel level, std::string_view event, Fields fields,
                     std::uint64_t times = 1) const;
    // To be called every second or so; and once with the time of an end that never comes.
    void tell_repeats(Repeats::Clock::time_point now) const;

private:
    void write_line(config::LogLevel level, std::string_view event,
                    std::span<const Field> fields) const;

    config::LogSettings settings_;
    std::shared_ptr<spdlog::logger> logger_;
    mutable std::mutex mutex_;
    mutable std::uint64_t lost_ = 0;  // lines since the last that was taken
    mutable Repeats repeats_;
};

// The line for an event, without its end, and with it at most PIPE_BUF bytes: of what is longer the
// longest value is cut. `time` is RFC 3339 in UTC.
std::string log_line(config::LogFormat format, std::string_view time, config::LogLevel level,
                     std::string_view event, Log::Fields fields);

}  // namespace stanzagate::proxy
