#include "proxy/log.hpp"

#include <gtest/gtest.h>
#include <limits.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <string>

namespace stanzagate::proxy {
namespace {

using config::LogFormat;
using config::LogLevel;
using namespace std::string_literals;

constexpr auto noon = "2026-01-02T12:00:00.000Z";

std::string text_line(Log::Fields fields) {
    return log_line(LogFormat::text, noon, LogLevel::info, "e", fields);
}

std::string json_line(Log::Fields fields) {
    return log_line(LogFormat::json, noon, LogLevel::info, "e", fields);
}

const std::string text_head = "time=2026-01-02T12:00:00.000Z level=info event=e";
const std::string json_head = R"({"time":"2026-01-02T12:00:00.000Z","level":"info","event":"e")";

TEST(LogTest, RegistrationLineOfTheContract) {
    auto const line = log_line(LogFormat::text, noon, LogLevel::info, "registration",
                               {{"session", "0-1"},
                                {"peer", "203.0.113.9"},
                                {"host", "example.org"},
                                {"transport", "starttls"},
                                {"request", "get"},
                                {"rule", "default"},
                                {"action", "redirect"}});
    EXPECT_EQ(line,
              "time=2026-01-02T12:00:00.000Z level=info event=registration session=0-1 "
              "peer=203.0.113.9 host=example.org transport=starttls request=get rule=default "
              "action=redirect");
}

struct ValueCase {
    const char* name;
    std::string value;
    std::string text;  // as it stands behind "k="
};

class LogValueTest : public ::testing::TestWithParam<ValueCase> {};

TEST_P(LogValueTest, InBothFormats) {
    auto const& param = GetParam();
    EXPECT_EQ(text_line({{"k", param.value}}), text_head + " k=" + param.text);
    auto const line = json_line({{"k", param.value}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    auto const parsed = boost::json::parse(line);
    EXPECT_EQ(std::string(parsed.at("k").as_string()), param.value);
}

INSTANTIATE_TEST_SUITE_P(
    Table, LogValueTest,
    ::testing::Values(ValueCase{"plain", "a.b-c", "a.b-c"}, ValueCase{"space", "a b", R"("a b")"},
                      ValueCase{"quote", R"(a"b)", R"("a\"b")"},
                      ValueCase{"backslash", R"(a\b)", R"("a\\b")"},
                      ValueCase{"equals", "a=b", R"("a=b")"},
                      ValueCase{"newline", "a\nlevel=error", R"("a\nlevel=error")"},
                      ValueCase{"return", "a\rb", R"("a\rb")"},
                      ValueCase{"tab", "a\tb", R"("a\tb")"},
                      ValueCase{"NUL", "a\0b"s, R"("a\u0000b")"},
                      ValueCase{"escape", "\x1b[31m", R"("\u001b[31m")"},
                      ValueCase{"address", "[2001:db8::1]:5222", "[2001:db8::1]:5222"},
                      ValueCase{"UTF8", "ünï", "ünï"}),
    [](auto const& test) { return std::string(test.param.name); });

// What a terminal or a reader of lines takes for a command may not come through raw: a name that
// nobody serves is chosen by the client.
TEST(LogTest, NoControlCharacterComesThrough) {
    for (auto const& value : {"\x7f"s,
                              "a\xC2\x9B"
                              "31m"s,
                              "a\xC2\x85"
                              "b"s,
                              "a\xE2\x80\xA8"
                              "b"s}) {
        auto const line = text_line({{"k", value}});
        EXPECT_EQ(line.find(value), std::string::npos) << line;
    }
}

TEST(LogTest, WhatIsNoUtf8IsReplaced) {
    auto const value =
        "\xFF\xFE"
        "1ü\xC3"s;
    auto const replaced = "��1ü�"s;
    EXPECT_EQ(text_line({{"k", value}}), text_head + " k=" + replaced);
    EXPECT_EQ(json_line({{"k", value}}), json_head + R"(,"k":")" + replaced + "\"}");
}

TEST(LogTest, NumbersAreNumbersInJson) {
    EXPECT_EQ(json_line({{"n", 42}, {"m", -7LL}, {"z", 0U}, {"s", "42"}}),
              json_head + R"(,"n":42,"m":-7,"z":0,"s":"42"})");
    EXPECT_EQ(text_line({{"n", 42}, {"m", -7LL}, {"z", 0U}}), text_head + " n=42 m=-7 z=0");
}

TEST(LogTest, EmptyFieldsAreLeftOut) {
    EXPECT_EQ(text_line({{"a", ""}, {"b", "x"}, {"c", std::string()}}), text_head + " b=x");
    EXPECT_EQ(json_line({{"a", ""}, {"b", "x"}}), json_head + R"(,"b":"x"})");
    EXPECT_EQ(text_line({}), text_head);
    EXPECT_EQ(json_line({}), json_head + "}");
}

TEST(LogTest, LongValuesAreCutBetweenCharacters) {
    EXPECT_EQ(text_line({{"k", std::string(255, 'x')}}), text_head + " k=" + std::string(255, 'x'));
    EXPECT_EQ(text_line({{"k", std::string(256, 'x')}, {"n", 1}}),
              text_head + " k=" + std::string(255, 'x') + "… n=1");
    for (auto const& [character, kept] :
         {std::pair{"ü"s, 254U}, std::pair{"€"s, 255U}, std::pair{"😀"s, 252U}}) {
        std::string value;
        while (value.size() < 10'000) value += character;
        EXPECT_EQ(text_line({{"k", value}}), text_head + " k=" + value.substr(0, kept) + "…");
    }
}

// What the operator wrote, such as the reason why a configuration is refused.
TEST(LogTest, ValuesInFullMayFillALine) {
    std::string const message(3900, 'x');
    EXPECT_EQ(text_line({Field::in_full("message", message)}), text_head + " message=" + message);
}

// A pipe with room for PIPE_BUF bytes takes no more without a wait.
TEST(LogTest, NoLineIsLongerThanAPipeTakesAtOnce) {
    for (auto const& piece : {"x"s, " "s, "\x1b"s, "\""s, "\xC2\x9B"s, "ü"s, "😀"s, "\xFF"s}) {
        std::string value;
        while (value.size() < 20'000) value += piece;
        for (auto const format : {LogFormat::text, LogFormat::json}) {
            auto const line = log_line(format, noon, LogLevel::error, "configuration",
                                       {{"host", value},
                                        {"line", 7},
                                        Field::in_full("message", value),
                                        Field::in_full("file", value),
                                        {"consequence", "all stays"}});
            EXPECT_LT(line.size(), PIPE_BUF);
            EXPECT_GT(line.size(), PIPE_BUF - 64);
            EXPECT_NE(line.find("all stays"), std::string::npos);
            if (format == LogFormat::json) {
                EXPECT_EQ(boost::json::parse(line).at("line").as_int64(), 7);
            }
        }
    }
}

TEST(LogTest, LevelsAreWrittenAndObeyed) {
    for (auto const& [level, name] :
         {std::pair{LogLevel::debug, "debug"}, std::pair{LogLevel::info, "info"},
          std::pair{LogLevel::warning, "warning"}, std::pair{LogLevel::error, "error"}}) {
        auto const line = log_line(LogFormat::text, noon, level, "e", {});
        EXPECT_NE(line.find("level="s + name), std::string::npos);
    }
    ::testing::internal::CaptureStderr();
    {
        Log const log({LogLevel::warning, LogFormat::text});
        log.debug("one", {});
        log.info("two", {});
        log.warning("three", {});
        log.error("four", {{"percent", "%v {} %s"}});
    }
    auto const written = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 2);
    EXPECT_EQ(written.find("event=two"), std::string::npos);
    EXPECT_NE(written.find("event=three"), std::string::npos);
    EXPECT_NE(written.find("percent=\"%v {} %s\""), std::string::npos);
}

}  // namespace
}  // namespace stanzagate::proxy
