#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "config/config.hpp"

namespace spdlog {
class logger;
}

namespace stanzagate::proxy {

// One key and its value in a log line. Empty values are left out.
struct Field {
    Field(std::string_view name, std::string_view text) : key(name), value(text) {}
    Field(std::string_view name, const std::string& text) : key(name), value(text) {}
    Field(std::string_view name, const char* text) : key(name), value(text) {}
    Field(std::string_view name, std::integral auto number)
        : key(name), value(std::to_string(number)), is_number(true) {}

    std::string_view key;
    std::string value;
    bool is_number = false;
};

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

private:
    config::LogSettings settings_;
    std::shared_ptr<spdlog::logger> logger_;
    mutable std::mutex mutex_;
    mutable std::uint64_t lost_ = 0;  // lines since the last that was taken
};

// The line for an event, without its end. `time` is RFC 3339 in UTC.
std::string log_line(config::LogFormat format, std::string_view time, config::LogLevel level,
                     std::string_view event, Log::Fields fields);

}  // namespace stanzagate::proxy
