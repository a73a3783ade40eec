#include "config/import/lua_sandbox.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>

#include "tests/config/import/prosody_folder.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

struct HarmCase {
    const char* name;
    std::string_view program;
    std::string_view error;  // somewhere in the one line that is said
};

void PrintTo(const HarmCase& test, std::ostream* out) {
    *out << test.program;
}

class Harm : public testing::TestWithParam<HarmCase> {};

// None of them may hang, and ctest's limit is there for one that does.
TEST_P(Harm, EndsWithAnError) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate(GetParam().program));
    EXPECT_NE(folder.said().find(GetParam().error), std::string::npos) << folder.said();
    EXPECT_NE(folder.said().find(": error: "), std::string::npos) << folder.said();
}

constexpr std::string_view not_here = " is not to be had where a configuration is imported";
constexpr std::string_view too_long = "takes too long";
constexpr std::string_view too_much = "more memory than an import may take";

INSTANTIATE_TEST_SUITE_P(
    Reaching, Harm,
    testing::Values(HarmCase{"os", "os.execute('true')", "os.execute is not to be had"},
                    HarmCase{"os_exit", "\n os.exit(0)", "prosody.cfg.lua:2:1: error: os.exit"},
                    HarmCase{"os_by_pcall", "pcall(os.remove, 'x')", not_here},
                    HarmCase{"io", "local f = io.open('/etc/passwd')", not_here},
                    HarmCase{"require", "require 'socket'", not_here},
                    HarmCase{"require_by_g", "_G.require 'socket'", not_here},
                    HarmCase{"require_by_lua", "Lua.require 'socket'", not_here},
                    HarmCase{"package", "package.path = ''", not_here},
                    HarmCase{"debug", "debug.sethook()", not_here},
                    HarmCase{"dofile", "dofile '/etc/prosody/prosody.cfg.lua'", not_here},
                    HarmCase{"loadfile", "loadfile 'x'", not_here},
                    HarmCase{"load", "load('return 1')", not_here},
                    HarmCase{"bytecode", "load('\\27Lua')", not_here},
                    HarmCase{"dump", "string.dump(function() end)", "a nil value (field 'dump')"},
                    HarmCase{"metatable", "setmetatable({}, {__gc = print})", not_here},
                    HarmCase{"of_strings", "getmetatable('').__index = {}", not_here},
                    HarmCase{"coroutine", "coroutine.wrap(print)()", not_here},
                    HarmCase{"collector", "collectgarbage 'stop'", not_here}),
    NamedCase{});

INSTANTIATE_TEST_SUITE_P(
    NeverEnding, Harm,
    testing::Values(
        HarmCase{"loop", "\nwhile true do end", "prosody.cfg.lua:2:1: error: evaluating"},
        HarmCase{"goto", "::a:: goto a", too_long},
        HarmCase{"loop_in_pcall", "pcall(function() while true do end end)", too_long},
        HarmCase{"pcall_in_loop", "while true do pcall(error) end", too_long},
        HarmCase{"pcall_that_swallows", "while true do pcall(function() while true do end end) end",
                 too_long},
        HarmCase{"pcall_of_pcall", "while true do pcall(pcall, pcall, error) end", too_long},
        HarmCase{"tail_calls", "local function f() return f() end f()", too_long},
        HarmCase{"repeat_nothing", "x = ('').rep('', 1 << 62)", too_long},
        HarmCase{"pattern", "x = ('a'):rep(200):find(('a*'):rep(20) .. 'b')", too_long},
        HarmCase{"pattern_in_gsub", "x = ('a'):rep(99):gsub(('.-'):rep(9) .. 'b', '')", too_long},
        HarmCase{"pattern_in_gmatch", "for _ in ('a'):rep(99):gmatch(('.-'):rep(9) .. 'b') do end",
                 too_long},
        HarmCase{"comparing",
                 "local a, b = ('x'):rep(1e6), ('x'):rep(1e6) while true do local c = a == b end",
                 too_long},
        HarmCase{"inserting", "local t = {} while true do table.insert(t, 1, 1) end", too_long},
        HarmCase{"iterating_through_include", "while true do Include '*.none' end", too_long}),
    NamedCase{});

INSTANTIATE_TEST_SUITE_P(
    TooLarge, Harm,
    testing::Values(
        HarmCase{"repeat", "x = ('x'):rep(5e6)", too_much},
        HarmCase{"repeat_much", "x = ('x'):rep(1e9)", too_long},
        HarmCase{"doubling", "local s = 'x' while true do s = s .. s end", too_much},
        HarmCase{"doubling_in_pcall",
                 "local s = 'x' while true do pcall(function() s = s .. s end) end", too_much},
        HarmCase{"copying", "local s = ('x'):rep(9e5) while true do local t = s .. 'y' end",
                 too_much},
        HarmCase{"table", "local t = {} for i = 1, 1e9 do t[i] = i end", too_much},
        HarmCase{"many_tables", "local t = {} while true do t = { t, {}, {}, {} } end", too_much},
        HarmCase{"recursion", "local function f() return 1 + f() end f()", too_much},
        HarmCase{"recursion_in_c", "local function f(s) return s:gsub('.', f) end f 'x'",
                 "stack overflow"},
        HarmCase{"recursion_of_pcall", "local function f() pcall(f) f() end f()", too_long},
        HarmCase{"unpack", "x = { table.unpack({}, 1, 9e5) }", "too many results"},
        HarmCase{"concat",
                 "local t = {} for i = 1, 9 do t[i] = ('x'):rep(9e5) end "
                 "x = table.concat(t)",
                 too_much}),
    NamedCase{});

TEST(LuaSandbox, TakesNoCompiledCode) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate("\x1bLua\x54\x00\x19\x93\r\n\x1a\n"));
    EXPECT_NE(folder.said().find("attempt to load a binary chunk"), std::string::npos)
        << folder.said();
}

TEST(LuaSandbox, TakesNoDeepSource) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate("x = " + std::string(100'000, '{')));
    EXPECT_NE(folder.said().find("overflow"), std::string::npos) << folder.said();
}

TEST(LuaSandbox, ReadsTablesThatHaveNoEnd) {
    ProsodyFolder folder;
    const auto config = folder.evaluate(
        "local t = {} for i = 1, 9 do t[i] = t end admins = t\n"
        "local d = {} for i = 1, 1000 do d = { d } end deep = d\n");
    ASSERT_TRUE(config) << folder.said();
    EXPECT_TRUE(config->global.find("admins"));
    EXPECT_TRUE(config->global.find("deep"));
}

TEST(LuaSandbox, CutsNoList) {
    ProsodyFolder folder;
    const auto config = folder.evaluate(
        "local t = {} for i = 1, 120000 do t[i] = 'x' .. i end long = t also = t\n"
        "local d = { t, t, t } for i = 1, 3 do d = { d, d, d } end many = { 1, d }\n");
    ASSERT_TRUE(config) << folder.said();
    const auto size = [&](const char* option) {
        const auto* const table = std::get_if<LuaTable>(&config->global.find(option)->value.value);
        return table == nullptr ? 0 : table->list.size();
    };
    EXPECT_EQ(size("long"), 120'000U);
    EXPECT_EQ(size("also"), 120'000U);
    EXPECT_EQ(config->global.find("many")->value.describe(), "a table with very many values");
}

TEST(LuaSandbox, ReadsNoMoreThanCanBeHeld) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate(
        "local t = {} for i = 1, 9 do t[i] = t end\n"
        "a = t b = t c = t VirtualHost 'h' registration_whitelist = t d = t e = 1\n"));
    EXPECT_NE(folder.said().find("prosody.cfg.lua:1:1: error: the options have more values"),
              std::string::npos)
        << folder.said();
}

TEST(LuaSandbox, GivesWhatDoesNoHarm) {
    ProsodyFolder folder;
    const auto config = folder.evaluate(
        "local host = ('A.Example'):lower():match('^(%w+)%.')\n"
        "a = host .. string.format('%03d', math.floor(7.5)) .. #table.concat({ 'x', 'y' }, ',')\n"
        "local ok, message = pcall(error, 'no', 0)\n"
        "b = tostring(ok) .. message .. select('#', 1, 2) .. type(print) .. (('x'):rep(3))\n"
        "local t = { 3, 1, 2 } table.sort(t) table.insert(t, 4) table.remove(t, 1)\n"
        "c = t[1] + t[2] + t[3] + (tonumber 'ff' or 0x10) + #(unpack or table.unpack)({ 'abc' })\n"
        "d = ('a-b'):gsub('%-', '+')\n");
    ASSERT_TRUE(config) << folder.said();
    EXPECT_EQ(config->global.find("a")->value.describe(), "\"a0073\"");
    EXPECT_EQ(config->global.find("b")->value.describe(), "\"falseno2functionxxx\"");
    EXPECT_EQ(config->global.find("c")->value.describe(), "28");
    EXPECT_EQ(config->global.find("d")->value.describe(), "\"a+b\"");
    EXPECT_EQ(folder.said(), "");
}

}  // namespace
}  // namespace stanzagate::config
