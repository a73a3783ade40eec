#include "config/list_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/config/named_case.hpp"
#include "tests/temporary_folder.hpp"

namespace stanzagate::config {
namespace {

using namespace std::string_view_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> written(const Diagnostics& diagnostics) {
    std::vector<std::string> result;
    for (const Diagnostic& diagnostic : diagnostics.all()) result.push_back(diagnostic.to_string());
    return result;
}

struct Case {
    const char* name;
    std::string_view text;
    std::size_t size;
    std::vector<std::string_view> inside;
    std::vector<std::string> warnings;
};

void PrintTo(const Case& test, std::ostream* out) {
    *out << test.text;
}

class ListText : public testing::TestWithParam<Case> {};

TEST_P(ListText, IsRead) {
    Diagnostics diagnostics;
    const NetworkSet set = parse_list(GetParam().text, "spam.txt", diagnostics);
    EXPECT_EQ(set.size(), GetParam().size);
    for (const std::string_view address : GetParam().inside)
        EXPECT_TRUE(set.contains(*Address::parse(address))) << address;
    EXPECT_EQ(written(diagnostics), GetParam().warnings);
    EXPECT_FALSE(diagnostics.has_errors());
}

const std::vector<std::string_view> two{"192.0.2.1", "2001:db8::1"};

INSTANTIATE_TEST_SUITE_P(
    All, ListText,
    testing::Values(
        Case{"empty", "", 0, {}, {}}, Case{"one_newline", "\n", 0, {}, {}},
        Case{"lines", "192.0.2.1\n2001:db8::/32\n", 2, two, {}},
        Case{"no_final_newline", "192.0.2.1\n2001:db8::/32", 2, two, {}},
        Case{"crlf", "192.0.2.1\r\n2001:db8::/32\r\n", 2, two, {}},
        Case{"final_cr", "192.0.2.1\n2001:db8::1\r", 2, two, {}},
        Case{"byte_order_mark",
             "\xef\xbb\xbf"
             "192.0.2.1\n2001:db8::1\n",
             2,
             two,
             {}},
        Case{"only_a_byte_order_mark", "\xef\xbb\xbf", 0, {}, {}},
        Case{"blanks", " \t192.0.2.1\t \n\n \t \n  2001:db8::1", 2, two, {}},
        Case{
            "comments", "# spammers\n192.0.2.1# one\n2001:db8::1\t# two\n  # three\n#", 2, two, {}},
        Case{"mapped", "::ffff:192.0.2.0/120\n", 1, {"192.0.2.1"}, {}},
        Case{"doubles_count", "192.0.2.1\n192.0.2.1\n", 2, {"192.0.2.1"}, {}},
        Case{"broken_line",
             "192.0.2.1\n  mail.example\n2001:db8::1\n",
             2,
             two,
             {"spam.txt:2:3: warning: \"mail.example\" is not an address or network and is "
              "skipped"}},
        Case{"broken_line_without_its_comment",
             "x # y\r\n",
             0,
             {},
             {"spam.txt:1:1: warning: \"x\" is not an address or network and is skipped"}},
        Case{"two_on_a_line",
             "192.0.2.1 192.0.2.2",
             0,
             {},
             {"spam.txt:1:1: warning: \"192.0.2.1 192.0.2.2\" is not an address or network and is "
              "skipped"}},
        Case{"host_bits",
             "\n192.0.2.7/24\n2001:db8::1/48",
             0,
             {},
             {"spam.txt:2:1: warning: \"192.0.2.7/24\" has bits set beyond its prefix and is "
              "skipped; did you mean \"192.0.2.0/24\"?",
              "spam.txt:3:1: warning: \"2001:db8::1/48\" has bits set beyond its prefix and is "
              "skipped; did you mean \"2001:db8::/48\"?"}},
        Case{"byte_order_mark_takes_no_column",
             "\xef\xbb\xbfx",
             0,
             {},
             {"spam.txt:1:1: warning: \"x\" is not an address or network and is skipped"}},
        Case{"byte_order_mark_elsewhere",
             "192.0.2.1\n\xef\xbb\xbf"
             "2001:db8::1\n",
             1,
             {"192.0.2.1"},
             {"spam.txt:2:1: warning: \"\xef\xbb\xbf"
              "2001:db8::1\" is not an address or network and is skipped"}},
        Case{"zero_bytes",
             "192.0.2.1\0\n\0\n2001:db8::1"sv,
             1,
             {"2001:db8::1"},
             {"spam.txt:1:1: warning: \"192.0.2.1\\x00\" is not an address or network and is "
              "skipped",
              "spam.txt:2:1: warning: \"\\x00\" is not an address or network and is skipped"}},
        Case{"cr_within",
             "192.0.2.1\r192.0.2.2\n",
             0,
             {},
             {"spam.txt:1:1: warning: \"192.0.2.1\\x0d192.0.2.2\" is not an address or network and "
              "is skipped"}}),
    NamedCase{});

TEST(ListFile, TakesLinesOfAnyLength) {
    const std::string long_line(1'000'000, '7');
    Diagnostics diagnostics;
    const auto set = parse_list(
        long_line + "\n192.0.2.1" + std::string(1'000'000, ' ') + '#' + long_line + "\n2001:db8::1",
        "spam.txt", diagnostics);
    EXPECT_EQ(set.size(), 2U);
    EXPECT_THAT(written(diagnostics),
                ElementsAre("spam.txt:1:1: warning: \"" + std::string(200, '7') +
                            "...\" is not an address or network and is skipped"));
}

TEST(ListFile, WarnsOfTwentyLinesAndCountsTheRest) {
    std::string text = "192.0.2.1\n";
    for (std::size_t i = 0; i < most_list_file_warnings; ++i) text += "x\n";
    Diagnostics twenty;
    parse_list(text, "spam.txt", twenty);
    EXPECT_THAT(twenty.all(), SizeIs(20));

    Diagnostics one_more;
    parse_list(text + "\n y", "spam.txt", one_more);
    ASSERT_THAT(one_more.all(), SizeIs(21));
    EXPECT_EQ(one_more.all().back().to_string(),
              "spam.txt:23:2: warning: from here on 1 more line is not an address or network and "
              "is skipped");

    Diagnostics many;
    EXPECT_EQ(parse_list(text + "y\ny\ny\n192.0.2.2", "spam.txt", many).size(), 2U);
    ASSERT_THAT(many.all(), SizeIs(21));
    EXPECT_EQ(many.all()[19].where.line, 21);
    EXPECT_EQ(many.all().back().to_string(),
              "spam.txt:22:1: warning: from here on 3 more lines are not an address or network "
              "and are skipped");
}

TEST(ListFile, IsReadFromDisk) {
    const TemporaryFolder folder;
    const auto path = folder.write("spam.txt", "192.0.2.0/24\nx\n2001:db8::1\n");
    Diagnostics diagnostics;
    const auto set = read_list_file(path, {"rules.toml", 2, 8}, diagnostics);
    ASSERT_TRUE(set);
    EXPECT_EQ(*set, NetworkSet({*Network::parse("2001:db8::1"), *Network::parse("192.0.2.0/24")}));
    EXPECT_THAT(written(diagnostics),
                ElementsAre(path.string() +
                            ":2:1: warning: \"x\" is not an address or network and is skipped"));
}

TEST(ListFile, ThatIsEmptyIsAnEmptySet) {
    const TemporaryFolder folder;
    Diagnostics diagnostics;
    const auto set = read_list_file(folder.write("spam.txt", ""), {}, diagnostics);
    ASSERT_TRUE(set);
    EXPECT_TRUE(set->empty());
    EXPECT_THAT(written(diagnostics), IsEmpty());
}

TEST(ListFile, ThatCannotBeReadIsAnErrorWhereItIsNamed) {
    const TemporaryFolder folder;
    const Position named_at{"rules.toml", 2, 8};
    const auto missing = folder.at("missing.txt");
    Diagnostics diagnostics;
    EXPECT_EQ(read_list_file(missing, named_at, diagnostics), std::nullopt);
    EXPECT_EQ(read_list_file(folder.at("."), named_at, diagnostics), std::nullopt);
    EXPECT_THAT(written(diagnostics),
                ElementsAre("rules.toml:2:8: error: the list \"" + missing.string() +
                                "\" cannot be read: No such file or directory",
                            "rules.toml:2:8: error: the list \"" + folder.at(".").string() +
                                "\" cannot be read: it is a directory"));
}

// Too large a file is refused by its size, not after reading it: this one has no bytes on the disk.
TEST(ListFile, HasALargestSize) {
    const TemporaryFolder folder;
    const auto path = folder.write("huge.txt", "");
    std::filesystem::resize_file(path, most_list_file_bytes + 1);
    Diagnostics diagnostics;
    EXPECT_EQ(read_list_file(path, {"rules.toml", 2, 8}, diagnostics), std::nullopt);
    EXPECT_THAT(written(diagnostics),
                ElementsAre("rules.toml:2:8: error: the list \"" + path.string() +
                            "\" cannot be read: it is larger than 256MiB"));
}

}  // namespace
}  // namespace stanzagate::config
