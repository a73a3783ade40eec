#include "config/import/prosody_config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <string_view>

#include "tests/config/import/prosody_folder.hpp"
#include "tests/config/named_case.hpp"

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

std::string shown(const ProsodyConfig& config) {
    std::string out;
    const auto add = [&](const ProsodySection& section) {
        out += section.name + (section.component ? " (component):" : ":");
        for (const auto& [name, option] : section.options)
            out += ' ' + name + '=' + option.value.describe();
        out += '\n';
    };
    add(config.global);
    for (const ProsodySection& host : config.hosts) add(host);
    return out;
}

struct SectionCase {
    const char* name;
    std::string_view program;
    std::string_view sections;
    std::string_view said = "";
};

void PrintTo(const SectionCase& test, std::ostream* out) {
    *out << test.program;
}

class Sections : public testing::TestWithParam<SectionCase> {};

TEST_P(Sections, AreAsProsodyReadsThem) {
    ProsodyFolder folder;
    const auto config = folder.evaluate(GetParam().program);
    ASSERT_TRUE(config) << folder.said();
    EXPECT_EQ(shown(*config), GetParam().sections);
    EXPECT_EQ(folder.said(), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    All, Sections,
    testing::Values(
        SectionCase{"empty", "", "*:\n"},
        SectionCase{"options", "a = 1; b = 'x' c = true d = 1.5 e = {} f = { 1 }",
                    "*: a=1 b=\"x\" c=true d=1.5 e=a table f=a list\n"},
        SectionCase{"hosts", "a = 1\nVirtualHost 'One.Example'\na = 2\nHost 'two.example' b = 3",
                    "*: a=1\none.example: a=2\ntwo.example: b=3\n"},
        SectionCase{"host_with_table", "VirtualHost 'a.example' { x = 1 }\ny = 2",
                    "*: y=2\na.example: x=1\n"},
        SectionCase{"component", "Component 'c.example' 'muc' { x = 1 } y = 2",
                    "*: y=2\nc.example (component): x=1\n"},
        SectionCase{"component_alone", "Component 'c.example'\ny = 2",
                    "*:\nc.example (component): y=2\n"},
        SectionCase{"host_twice", "VirtualHost 'a' x = 1 VirtualHost 'b' VirtualHost 'a' y = 2",
                    "*:\na: x=1 y=2\nb:\n"},
        SectionCase{"last_counts", "x = 1 x = 2 y = 1 y = nil", "*: x=2\n"},
        SectionCase{"functions", "function x() end y = print", "*: x=a function y=a function\n"},
        SectionCase{"unknown", "x = FileContents 'a' y = FileLine('b'):match('c') .. 'd'",
                    "*: x=what FileContents reads y=what FileLine reads\n"},
        SectionCase{"script", "\nx = RunScript 'a.lua'", "*: x=what RunScript gives\n",
                    "prosody.cfg.lua:2:1: warning: RunScript is not followed\n"},
        SectionCase{"quotes_missing", "x = yes", "*:\n",
                    "prosody.cfg.lua:1:1: warning: yes has no value; are there quotes missing "
                    "around it?\n"},
        SectionCase{"extended", "x = { 1 } x { 2 } x:append { 3 } y = x", "*: x=a list y=a list\n"},
        SectionCase{"include_nothing", "Include '*.none.lua' Include './?'", "*:\n"}),
    NamedCase{});

struct WrongProgram {
    const char* name;
    std::string_view program;
    std::string_view said;
};

void PrintTo(const WrongProgram& test, std::ostream* out) {
    *out << test.program;
}

class WrongPrograms : public testing::TestWithParam<WrongProgram> {};

TEST_P(WrongPrograms, AreErrorsInTheirLine) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate(GetParam().program));
    EXPECT_EQ(folder.said(), GetParam().said);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongPrograms,
    testing::Values(
        WrongProgram{"syntax", "a = 1\nb = = 2",
                     "prosody.cfg.lua:2:1: error: unexpected symbol near '='\n"},
        WrongProgram{"thrown", "\n\nerror 'no way'", "prosody.cfg.lua:3:1: error: no way\n"},
        WrongProgram{"empty", "error ''", "prosody.cfg.lua:1:1: error: an error without a text\n"},
        WrongProgram{"thrown_table", "error {}",
                     "prosody.cfg.lua:1:1: error: an error that is not a text\n"},
        WrongProgram{"nameless", "VirtualHost(nil)",
                     "prosody.cfg.lua:1:1: error: VirtualHost needs a name in quotes\n"},
        WrongProgram{"clash", "Component 'a' 'muc'\nVirtualHost 'A'",
                     "prosody.cfg.lua:2:1: error: a is a Component already\n"},
        WrongProgram{"clash_back", "VirtualHost 'a'\nComponent 'a' 'muc'",
                     "prosody.cfg.lua:2:1: error: a is a VirtualHost already\n"},
        WrongProgram{"no_options", "VirtualHost 'a' 'muc'",
                     "prosody.cfg.lua:1:1: error: options in braces were expected behind the name, "
                     "not string\n"},
        WrongProgram{"include_missing", "\nInclude 'none.cfg.lua'",
                     "prosody.cfg.lua:2:1: error: Include \"none.cfg.lua\": No such file or "
                     "directory; import the file where it stands, or a copy in the same folder\n"},
        WrongProgram{"include_itself", "Include 'prosody.cfg.lua'",
                     "prosody.cfg.lua:1:1: error: the files include one another without an end\n"}),
    NamedCase{});

TEST(ProsodyConfig, FollowsIncludesInItsFolder) {
    ProsodyFolder folder;
    folder.write("prosody/conf.avail/b.cfg.lua", "VirtualHost 'b' x = 2 Include 'more.lua'");
    folder.write("prosody/conf.avail/more.lua", "outer = 1");
    folder.write("prosody/conf.d/a.cfg.lua", "VirtualHost 'a' x = 1");
    folder.write("prosody/conf.d/more.lua", "outer = 1");
    folder.write("prosody/conf.d/.hidden.cfg.lua", "error 'hidden'");
    folder.write("prosody/conf.d/other.txt", "error 'other'");
    fs::create_symlink("../conf.avail/b.cfg.lua", folder.path() / "prosody/conf.d/b.cfg.lua");
    const auto config = folder.evaluate("VirtualHost 'main' Include 'conf.d/*.cfg.lua'\ny = 3");
    ASSERT_TRUE(config) << folder.said();
    EXPECT_EQ(shown(*config), "*: outer=1\nmain: y=3\na: x=1\nb: x=2\n");
    EXPECT_EQ(folder.said(), "");
}

TEST(ProsodyConfig, FollowsNoIncludeOutOfItsFolder) {
    ProsodyFolder folder;
    folder.write("outside.cfg.lua", "secret = 1");
    folder.write("prosody-not/x.cfg.lua", "secret = 1");
    folder.write("prosody/conf.d/x", "");
    fs::create_symlink("../../outside.cfg.lua", folder.path() / "prosody/conf.d/a.cfg.lua");
    fs::create_directory_symlink("..", folder.path() / "prosody/up");
    const auto config = folder.evaluate(
        "Include '../outside.cfg.lua'\n"
        "Include '" +
        (folder.path() / "outside.cfg.lua").string() +
        "'\n"
        "Include 'conf.d/*.cfg.lua'\n"
        "Include 'up/*.cfg.lua'\n"
        "Include '../prosody-not/x.cfg.lua'\n");
    ASSERT_TRUE(config) << folder.said();
    EXPECT_EQ(shown(*config), "*:\n");
    for (const char* const line : {"1", "2", "3", "4", "5"})
        EXPECT_NE(
            folder.said().find("prosody.cfg.lua:" + std::string(line) + ":1: warning: Include "),
            std::string::npos)
            << folder.said();
}

TEST(ProsodyConfig, PlacesErrorsInIncludedFiles) {
    ProsodyFolder folder;
    folder.write("prosody/conf.d/a.cfg.lua", "\n\nerror 'no'");
    EXPECT_FALSE(folder.evaluate("Include 'conf.d/a.cfg.lua'"));
    EXPECT_EQ(folder.said(), "conf.d/a.cfg.lua:3:1: error: no\n");
}

// Its hosts would be missing, and nobody would see it.
TEST(ProsodyConfig, NeedsTheFolderOfAnInclude) {
    ProsodyFolder folder;
    EXPECT_FALSE(folder.evaluate("VirtualHost 'a'\nInclude 'conf.d/*.cfg.lua'"));
    EXPECT_EQ(folder.said(),
              "prosody.cfg.lua:2:1: error: Include \"conf.d/*.cfg.lua\": the folder \"conf.d/\" "
              "cannot be read: No such file or directory; import the file where it stands, or a "
              "copy in the same folder\n");
    folder.write("prosody/conf.d", "a file");
    EXPECT_FALSE(folder.evaluate("Include 'conf.d/*.cfg.lua'"));
    EXPECT_NE(folder.said().find("cannot be read: Not a directory"), std::string::npos)
        << folder.said();

    fs::remove(folder.path() / "prosody/conf.d");
    fs::create_directory(folder.path() / "prosody/conf.d");
    EXPECT_TRUE(folder.evaluate("Include 'conf.d/*.cfg.lua'")) << folder.said();
    EXPECT_EQ(folder.said(), "");
}

TEST(ProsodyConfig, KnowsWhereOptionsAre) {
    ProsodyFolder folder;
    const auto config = folder.evaluate(
        "-- first = 0\n"
        "first =\n"
        "  {\n"
        "  }\n"
        "  second = 2; third = 3\n"
        "VirtualHost 'a' {\n"
        "  first = 1\n"
        "}\n");
    ASSERT_TRUE(config) << folder.said();
    const auto place = [](const ProsodySection& section, const char* name) {
        const Position& where = section.find(name)->where;
        return std::to_string(where.line) + ':' + std::to_string(where.column);
    };
    EXPECT_EQ(place(config->global, "first"), "2:1");
    EXPECT_EQ(place(config->global, "second"), "5:3");
    EXPECT_EQ(place(config->global, "third"), "5:15");
    EXPECT_EQ(place(config->hosts.at(0), "first"), "7:3");
}

TEST(ProsodyConfig, ReadsTheEnvironment) {
    ProsodyFolder folder;
    ASSERT_EQ(setenv("STANZAGATE_TEST_URL", "https://e.example/", 1), 0);
    ASSERT_EQ(unsetenv("STANZAGATE_TEST_NONE"), 0);
    const auto config = folder.evaluate(
        "a = ENV_STANZAGATE_TEST_URL b = os.getenv 'STANZAGATE_TEST_URL'\n"
        "c = ENV_STANZAGATE_TEST_NONE");
    ASSERT_TRUE(config) << folder.said();
    EXPECT_EQ(shown(*config), "*: a=\"https://e.example/\" b=\"https://e.example/\"\n");
    EXPECT_EQ(folder.said(),
              "prosody.cfg.lua:2:1: warning: the environment variable STANZAGATE_TEST_NONE is not "
              "set here; Prosody's may be\n");
}

TEST(ProsodyConfig, WarnsOnceOfWhatALoopMeetsOften) {
    ProsodyFolder folder;
    ASSERT_TRUE(folder.evaluate("for i = 1, 9 do a = yes end\na = yes"));
    constexpr std::string_view message = ":1: warning: yes has no value; are there quotes missing";
    EXPECT_EQ(folder.said().find(message), std::string_view("prosody.cfg.lua:1").size());
    EXPECT_EQ(folder.said().rfind(message), folder.said().rfind(":2:1: warning") + 2);
    EXPECT_EQ(std::count(folder.said().begin(), folder.said().end(), '\n'), 2) << folder.said();
}

TEST(ProsodyConfig, SaysWhyAFileCannotBeRead) {
    ProsodyFolder folder;
    Diagnostics diagnostics;
    EXPECT_FALSE(read_prosody_config(folder.path() / "none.cfg.lua", diagnostics));
    EXPECT_FALSE(read_prosody_config(folder.path(), diagnostics));
    ASSERT_EQ(diagnostics.all().size(), 2U);
    EXPECT_EQ(diagnostics.all()[0].message,
              "the Prosody configuration cannot be read: No such file or directory");
    EXPECT_EQ(diagnostics.all()[1].message,
              "the Prosody configuration cannot be read: it is a directory");
}

}  // namespace
}  // namespace stanzagate::config
