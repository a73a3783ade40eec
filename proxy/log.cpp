#include "proxy/log.hpp"

#include <limits.h>
#include <poll.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

#include "config/utf8.hpp"

namespace stanzagate::proxy {
namespace {

std::string_view to_string(config::LogLevel level) {
    switch (level) {
        case config::LogLevel::debug:
            return "debug";
        case config::LogLevel::info:
            return "info";
        case config::LogLevel::warning:
            return "warning";
        case config::LogLevel::error:
            return "error";
    }
    return "info";
}

std::string utc_now() {
    auto const now = std::chrono::system_clock::now();
    auto const seconds = std::chrono::system_clock::to_time_t(now);
    auto const milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() %
        1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                       milliseconds);
}

// A character that JSON lets through, but that a terminal may take for a command (DEL, U+0080 to
// U+009F) or a reader for the end of the line (U+2028, U+2029).
struct Control {
    unsigned code = 0;
    std::size_t size = 0;  // in UTF-8; 0: there is none
};

Control control_at(std::string_view text) {
    auto const byte = [text](std::size_t at) -> unsigned {
        return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    if (byte(0) == 0x7F) return {0x7F, 1};
    if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) < 0xA0) return {byte(1), 2};
    if (byte(0) == 0xE2 && byte(1) == 0x80 && (byte(2) == 0xA8 || byte(2) == 0xA9))
        return {0x2028 + byte(2) - 0xA8, 3};
    return {};
}

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

bool has_control(std::string_view text) {
    for (; !text.empty(); text.remove_prefix(1))
        if (control_at(text).size != 0) return true;
    return false;
}

bool needs_quotes(std::string_view value) {
    if (has_control(value)) return true;
    return std::any_of(value.begin(), value.end(), [](char c) {
        auto const byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7F || c == '"' || c == '=' || c == '\\';
    });
}

std::string in_json(std::string_view value) {
    auto json = boost::json::serialize(boost::json::value(value));
    if (!has_control(json)) return json;
    std::string escaped;
    for (std::string_view rest = json; !rest.empty();) {
        auto const control = control_at(rest);
        if (control.size == 0)
            escaped += rest.front();
        else
            escaped += fmt::format("\\u{:04x}", control.code);
        rest.remove_prefix(std::max<std::size_t>(1, control.size));
    }
    return escaped;
}

// A pipe says yes while it has room for PIPE_BUF bytes (pipe(7)), and no line is longer, so that
// none waits; a file or a pipe whose reader is gone says yes, too, and the write fails at once.
bool takes_a_line(int descriptor) {
    pollfd asked{descriptor, POLLOUT, 0};
    return ::poll(&asked, 1, 0) != 0;
}

// logfmt quotes as JSON does.
std::string in_logfmt(std::string_view value) {
    return needs_quotes(value) ? in_json(value) : std::string(value);
}

std::string join(config::LogFormat format, std::string_view time, config::LogLevel level,
                 std::string_view event, std::span<const Field> fields) {
    bool const json = format == config::LogFormat::json;
    std::string line = json ? "{" : "";
    auto const add = [&](std::string_view key, std::string_view value, bool is_number) {
        if (line.size() > 1) line += json ? ',' : ' ';
        line += json ? in_json(key) : std::string(key);
        line += json ? ':' : '=';
        // No reader of JSON takes a line that is no UTF-8 (RFC 8259 section 8.1), and few of
        // logfmt.
        auto const text = is_ascii(value) ? std::string(value) : config::as_utf8(value);
        if (!json)
            line += in_logfmt(text);
        else
            line += is_number ? text : in_json(text);
    };
    add("time", time, false);
    add("level", to_string(level), false);
    add("event", event, false);
    for (auto const& field : fields)
        if (!field.value.empty()) add(field.key, field.value, field.is_number);
    if (json) line += '}';
    return line;
}

constexpr std::size_t most_line_bytes = PIPE_BUF - 1;  // and the end of the line

// The longest value gives what the line has too much, again and again: how many bytes one of its
// own takes there (six at most, "\u001b") is not known beforehand.
std::string join_shortened(config::LogFormat format, std::string_view time, config::LogLevel level,
                           std::string_view event, std::span<const Field> fields) {
    constexpr std::size_t mark = std::string_view("…").size();
    std::vector<Field> kept(fields.begin(), fields.end());
    for (;;) {
        auto line = join(format, time, level, event, kept);
        if (line.size() <= most_line_bytes) return line;
        auto& longest = *std::max_element(
            kept.begin(), kept.end(),
            [](auto const& a, auto const& b) { return a.value.size() < b.value.size(); });
        auto const size = longest.value.size();
        auto const less = (line.size() - most_line_bytes) / 6 + mark + 1;
        longest.value = shortened(longest.value, size - std::min(size, less));
    }
}

std::string line_of(config::LogFormat format, std::string_view time, config::LogLevel level,
                    std::string_view event, std::span<const Field> fields) {
    auto line = join(format, time, level, event, fields);
    if (line.size() <= most_line_bytes) return line;
    return join_shortened(format, time, level, event, fields);
}

}  // namespace

std::string log_line(config::LogFormat format, std::string_view time, config::LogLevel level,
                     std::string_view event, Log::Fields fields) {
    return line_of(format, time, level, event, {fields.begin(), fields.size()});
}

Log::Log(const config::LogSettings& settings)
    : settings_(settings),
      logger_(std::make_shared<spdlog::logger>("stanzagate",
                                               std::make_shared<spdlog::sinks::stderr_sink_mt>())) {
    logger_->set_pattern("%v");
    logger_->set_level(spdlog::level::trace);
}

Log::~Log() = default;

void Log::write(config::LogLevel level, std::string_view event, Fields fields) const {
    if (!is_on(level)) return;
    std::lock_guard const lock(mutex_);
    write_line(level, event, {fields.begin(), fields.size()});
}

void Log::write_first(config::LogLevel level, std::string_view event, Fields fields,
                      std::uint64_t times) const {
    if (!is_on(level)) return;
    std::lock_guard const lock(mutex_);
    std::span const all(fields.begin(), fields.size());
    if (repeats_.is_first(level, event, all, Repeats::Clock::now(), times))
        write_line(level, event, all);
}

void Log::tell_repeats(Repeats::Clock::time_point now) const {
    std::lock_guard const lock(mutex_);
    for (auto const& told : repeats_.over(now)) write_line(told.level, told.event, told.fields);
}

// With the lock held, else another's line could take the room that was there.
void Log::write_line(config::LogLevel level, std::string_view event,
                     std::span<const Field> fields) const {
    if (lost_ != 0 && takes_a_line(STDERR_FILENO)) {
        std::array const lost{Field("count", std::exchange(lost_, 0))};
        logger_->info(
            line_of(settings_.format, utc_now(), config::LogLevel::error, "log_lost", lost));
    }
    if (lost_ != 0 || !takes_a_line(STDERR_FILENO)) {
        ++lost_;
        return;
    }
    logger_->info(line_of(settings_.format, utc_now(), level, event, fields));
}

void Log::debug(std::string_view event, Fields fields) const {
    write(config::LogLevel::debug, event, fields);
}
void Log::info(std::string_view event, Fields fields) const {
    write(config::LogLevel::info, event, fields);
}
void Log::warning(std::string_view event, Fields fields) const {
    write(config::LogLevel::warning, event, fields);
}
void Log::error(std::string_view event, Fields fields) const {
    write(config::LogLevel::error, event, fields);
}

}  // namespace stanzagate::proxy
