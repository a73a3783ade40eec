#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "filters/bosh_session.hpp"
#include "tests/filters/allocated.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::size_t kib = 1024;

BoshBody body(unsigned rid, const std::string& rest) {
    auto const text = "<body xmlns='http://jabber.org/protocol/httpbind' rid='" +
                      std::to_string(rid) + "' " + rest + "/>";
    return read_body(text, {.frame_bytes = 4 * kib, .depth = 10, .attributes = 20}).value();
}

class BoshMemory : public testing::TestWithParam<const char*> {};

// What docs/reliability.md promises of a session whose server says more than the client fetches,
// with the responses that may be asked for again.
TEST_P(BoshMemory, IsBoundedHoweverMuchTheServerSays) {
    BoshSession session({}, "sid", [](std::string_view) { return std::string(); });
    BoshSession::Time const now{};
    session.request(1, body(1, "to='example.org' hold='2' wait='60' ver='1.6'"), now);
    session.from_server(
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        "id='1' from='example.org' version='1.0'>",
        now);
    std::string read;  // what one brings
    while (read.size() < 80 * kib) read += GetParam();
    auto const before = allocated();
    for (unsigned rid = 2; rid < 12; ++rid) {
        while (!session.blocked()) session.from_server(read, now);
        EXPECT_LE(allocated() - before, 256 * kib) << rid;
        session.request(rid, body(rid, "sid='sid'"), now);
        ASSERT_FALSE(session.ended());
    }
}

INSTANTIATE_TEST_SUITE_P(Of, BoshMemory,
                         testing::Values("<a/>", "<message/>",
                                         "<message to='a@b'><body>how are you?</body></message>"));

}  // namespace
}  // namespace stanzagate::filters
