#include "certs/ticket_keys.hpp"

#include <gmock/gmock.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>

#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string base64(std::string_view bytes) {
    std::string text(bytes.size() * 2 + 8, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    return text.substr(0, static_cast<std::size_t>(size));
}

// A key whose bytes are all the same, without the line's end.
std::string key(char fill) {
    std::string line = testing::ticket_key_line(fill);
    line.pop_back();
    return line;
}

class TicketKeysTest : public ::testing::Test {
protected:
    std::optional<TicketKeys> parse(std::string_view text) {
        diagnostics_ = {};
        return TicketKeys::parse(text, "tickets.keys", {"gate.toml", 3, 15}, diagnostics_);
    }
    // The keys by what they are filled with: the one that seals, and whether others open.
    static char sealing(const TicketKeys& keys) {
        return static_cast<char>(keys.sealing().bytes.back());
    }
    static bool opens(const TicketKeys& keys, char fill) {
        TicketKey wanted;
        wanted.bytes.fill(static_cast<unsigned char>(fill));
        const TicketKey* const found = keys.find(wanted.name());
        return found != nullptr && found->bytes == wanted.bytes;
    }
    std::vector<std::string> messages() const {
        std::vector<std::string> texts;
        for (const config::Diagnostic& diagnostic : diagnostics_.sorted())
            texts.push_back(diagnostic.to_string());
        return texts;
    }

    config::Diagnostics diagnostics_;
};

TEST_F(TicketKeysTest, TheLastButOneSealsAndAllOpen) {
    const auto one = parse(key('a'));
    ASSERT_TRUE(one);
    EXPECT_EQ(sealing(*one), 'a');
    const auto two = parse(key('a') + "\n" + key('b') + "\n");
    ASSERT_TRUE(two);
    EXPECT_EQ(sealing(*two), 'a');
    EXPECT_TRUE(opens(*two, 'a'));
    EXPECT_TRUE(opens(*two, 'b'));
    const auto many = parse(key('a') + "\n" + key('b') + "\n" + key('c') + "\n" + key('d'));
    ASSERT_TRUE(many);
    EXPECT_EQ(many->count(), 4U);
    EXPECT_EQ(sealing(*many), 'c');
    for (const char fill : {'a', 'b', 'c', 'd'}) EXPECT_TRUE(opens(*many, fill));
    EXPECT_FALSE(opens(*many, 'e'));
}

TEST_F(TicketKeysTest, CommentsAndBlanks) {
    const auto keys = parse("# of this week\r\n\r\n\t " + key('a') + " # monday\r\n\n" + key('b') +
                            "\r\n   \n#" + key('c'));
    ASSERT_TRUE(keys) << messages().front();
    EXPECT_EQ(keys->count(), 2U);
    EXPECT_EQ(sealing(*keys), 'a');
}

TEST_F(TicketKeysTest, LaysTheKeyOutAsOthersDo) {
    const auto keys =
        parse(base64(std::string(16, 'n') + std::string(32, 'h') + std::string(32, 'a')));
    ASSERT_TRUE(keys);
    const TicketKey& only = keys->sealing();
    EXPECT_TRUE(std::ranges::all_of(only.name(), [](unsigned char c) { return c == 'n'; }));
    EXPECT_TRUE(std::ranges::all_of(only.hmac(), [](unsigned char c) { return c == 'h'; }));
    EXPECT_TRUE(std::ranges::all_of(only.aes(), [](unsigned char c) { return c == 'a'; }));
}

const std::string prefix = "error: server.ticket_keys: ";
const std::string hint = "\"openssl rand 80 | base64 -w 0\" makes one";

TEST_F(TicketKeysTest, TellsOfEveryLineThatIsWrong) {
    EXPECT_FALSE(parse(key('a') + "\nnot base64!\n  " + base64(std::string(48, 'b')) + "\n" +
                       key('a') + "\nAAA\n====\n" + base64(std::string(81, 'c'))));
    EXPECT_THAT(
        messages(),
        ElementsAre(
            "tickets.keys:2:1: " + prefix + "this line is not base64; " + hint,
            "tickets.keys:3:3: " + prefix + "a key has 80 bytes, and this one 48; " + hint,
            "tickets.keys:4:1: " + prefix +
                "begins with the same 16 bytes as the key in line 1, and could not be told "
                "from it",
            "tickets.keys:5:1: " + prefix + "this line is not base64; " + hint,
            "tickets.keys:6:1: " + prefix + "this line is not base64; " + hint,
            "tickets.keys:7:1: " + prefix + "a key has 80 bytes, and this one 81; " + hint));
}

TEST_F(TicketKeysTest, TellsOfAFileWithoutKeys) {
    for (const auto* const text : {"", "\n\n", "# none yet\n"}) {
        EXPECT_FALSE(parse(text));
        EXPECT_THAT(messages(), ElementsAre("gate.toml:3:15: " + prefix +
                                            "no key in \"tickets.keys\"; " + hint));
    }
}

TEST_F(TicketKeysTest, ReadsAFile) {
    const TemporaryFolder folder;
    const auto file = folder.write("keys", key('a') + "\n" + key('b') + "\n");
    std::filesystem::permissions(file, std::filesystem::perms(0640));
    const auto keys = TicketKeys::load(file, {"gate.toml", 3, 15}, diagnostics_);
    ASSERT_TRUE(keys);
    EXPECT_EQ(sealing(*keys), 'a');
    EXPECT_THAT(messages(), IsEmpty());
}

TEST_F(TicketKeysTest, WarnsOfAFileThatOthersCanRead) {
    const TemporaryFolder folder;
    const auto file = folder.write("keys", key('a'));
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    EXPECT_TRUE(TicketKeys::load(file, {"gate.toml", 3, 15}, diagnostics_));
    EXPECT_THAT(messages(),
                ElementsAre("gate.toml:3:15: warning: server.ticket_keys: \"" + file.string() +
                            "\" is open to every user of this machine, and who has it can read "
                            "what clients resume: chmod o= it"));
}

TEST_F(TicketKeysTest, TellsOfAFileThatCannotBeRead) {
    EXPECT_FALSE(TicketKeys::load("/nonexistent/keys", {"gate.toml", 3, 15}, diagnostics_));
    EXPECT_THAT(messages(), ElementsAre("gate.toml:3:15: " + prefix +
                                        "cannot read \"/nonexistent/keys\": No such file or "
                                        "directory"));
}

TEST_F(TicketKeysTest, AreTheSameOrNot) {
    const std::string ab = key('a') + "\n" + key('b') + "\n";
    EXPECT_EQ(*parse(ab), *parse("# again\n" + ab));
    EXPECT_NE(*parse(ab), *parse(key('b') + "\n" + key('a')));
    EXPECT_NE(*parse(ab), *parse(ab + key('c')));
}

TEST_F(TicketKeysTest, RotatedKeepTheOneBefore) {
    const auto first = TicketKeys::generate();
    EXPECT_EQ(first.count(), 1U);
    EXPECT_NE(first, TicketKeys::generate());
    const auto second = first.rotated();
    const auto third = second.rotated();
    EXPECT_EQ(third.count(), 2U);
    EXPECT_NE(second.sealing().bytes, first.sealing().bytes);
    EXPECT_NE(second.find(first.sealing().name()), nullptr);
    EXPECT_NE(third.find(second.sealing().name()), nullptr);
    EXPECT_EQ(third.find(first.sealing().name()), nullptr);
}

}  // namespace
}  // namespace stanzagate::certs
