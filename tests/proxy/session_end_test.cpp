#include "proxy/session_end.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"

// What the log's session_end says of a handshake that came to nothing.
namespace stanzagate::proxy {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

struct FailureCase {
    const char* name;
    std::function<void(Client&)> story;
    const char* reason;
};

class HandshakeFailureTest : public ::testing::TestWithParam<FailureCase> {};

TEST_P(HandshakeFailureTest, HasItsReasonInTheLog) {
    TestUpstream const upstream;
    TestGate gate(upstream, "");
    {
        Client client(gate.dial("direct"), false);
        GetParam().story(client);
        client.hear_to_end();
    }
    gate.worker().drain(std::chrono::milliseconds(1));
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 1U);
    EXPECT_THAT(ends[0], HasSubstr(" why=handshake_failed reason=\"" +
                                   std::string(GetParam().reason) + "\" "));
}

std::string hello() {
    return TlsClient("example.org").handshake();
}

// RFC 8446 section 6: a fatal alert in the clear.
std::string alert(char description) {
    return std::string("\x15\x03\x03\x00\x02\x02", 6) + description;
}

INSTANTIATE_TEST_SUITE_P(Table, HandshakeFailureTest,
                         ::testing::Values(FailureCase{"no_tls",
                                                       [](Client& client) {
                                                           client.say(
                                                               "this is no ClientHello at all");
                                                       },
                                                       "wrong version number"},
                                           FailureCase{"the_client_does_not_know_the_issuer",
                                                       [](Client& client) {
                                                           client.say(hello());
                                                           client.hear(1);
                                                           client.say(alert(48));
                                                       },
                                                       "tlsv1 alert unknown ca"},
                                           FailureCase{"the_certificate_has_expired",
                                                       [](Client& client) {
                                                           client.say(hello());
                                                           client.hear(1);
                                                           client.say(alert(45));
                                                       },
                                                       "sslv3 alert certificate expired"},
                                           FailureCase{"half_of_it",
                                                       [](Client& client) {
                                                           client.say(hello().substr(0, 50));
                                                           client.say_no_more();
                                                       },
                                                       "the client closed the connection"}),
                         [](auto const& test) { return std::string(test.param.name); });

// A failure of another session on the same thread is not taken for one's own, nor told of an end
// that is none.
TEST(SessionEndLine, HasAReasonOnlyWhereTheHandshakeFailed) {
    TestUpstream const upstream;
    TestGate gate(upstream, "");
    for (auto const* const said : {"no ClientHello at all, but long enough", ""}) {
        Client client(gate.dial(*said == '\0' ? "none" : "direct"), false);
        client.say(said);
        client.say_no_more();
        client.hear_to_end();
    }
    gate.worker().drain(std::chrono::milliseconds(1));
    auto const ends = events(gate.join(), "session_end");
    ASSERT_EQ(ends.size(), 2U);
    EXPECT_THAT(ends[0], HasSubstr(" reason="));
    EXPECT_THAT(ends[1], Not(HasSubstr(" reason=")));
}

}  // namespace
}  // namespace stanzagate::proxy
