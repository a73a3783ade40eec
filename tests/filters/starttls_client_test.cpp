#include "filters/starttls_client.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/filters/splits.hpp"

namespace stanzagate::filters {
namespace {

using State = StartTlsClient::State;

const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='1' version='1.0'>";
const std::string features =
    "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
const std::string proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const std::string request = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

struct Case {
    const char* name;
    std::string upstream;
    std::string sent;
    State state;
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}

class StartTlsDialogues : public testing::TestWithParam<Case> {};

TEST_P(StartTlsDialogues, InEverySplit) {
    auto splits = every_split(GetParam().upstream);
    splits.push_back({GetParam().upstream});
    for (auto const& pieces : splits) {
        StartTlsClient client("example.org");
        std::string sent;
        for (auto const piece : pieces)
            if (client.state() == State::waiting) sent += client.receive(piece);
        ASSERT_EQ(client.state(), GetParam().state) << "first: " << pieces.front();
        ASSERT_EQ(sent, GetParam().sent) << "first: " << pieces.front();
        ASSERT_EQ(client.failure().empty(), GetParam().state != State::failed);
    }
}

INSTANTIATE_TEST_SUITE_P(
    StartTlsClient, StartTlsDialogues,
    testing::ValuesIn(std::vector<Case>{
        {"agreed", header + features + proceed, request, State::proceed},
        {"with_white_space", header + "\n" + features + " \n" + proceed, request, State::proceed},
        {"other_prefixes",
         "<s:stream xmlns:s='http://etherx.jabber.org/streams'><s:features><t:starttls "
         "xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'/></s:features><t:proceed "
         "xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'></t:proceed>",
         request, State::proceed},
        {"waiting_for_features", header, "", State::waiting},
        {"waiting_for_its_word", header + features, request, State::waiting},
        {"not_offered", header + "<stream:features><a/></stream:features>", "", State::failed},
        {"offered_in_another_namespace", header + "<stream:features><starttls/></stream:features>",
         "", State::failed},
        {"refused", header + features + "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
         request, State::failed},
        {"proceed_in_another_namespace", header + features + "<proceed/>", request, State::waiting},
        {"proceed_that_nobody_asked_for", header + proceed, "", State::waiting},
        {"stream_error",
         header + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                  "</stream:error>",
         "", State::failed},
        {"closed", header + "</stream:stream>", "", State::failed},
        {"no_xmpp", "HTTP/1.1 400 Bad Request\r\n", "", State::failed},
        {"bad_xml", header + "<a></b>", "", State::failed},
    }),
    [](auto const& suite) { return suite.param.name; });

// The mirror of what a client may not do to us (CVE-2011-0411 and its kind).
TEST(StartTlsClient, RefusesBytesBehindProceed) {
    for (auto const* const behind : {" ", "<", "<stream:features/>"}) {
        StartTlsClient client("example.org");
        static_cast<void>(client.receive(header + features));
        static_cast<void>(client.receive(proceed + behind));
        EXPECT_EQ(client.state(), State::failed) << behind;
    }
}

TEST(StartTlsClient, Opens) {
    EXPECT_EQ(StartTlsClient("a'b").opening(),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='a&apos;b' version='1.0'>");
}

}  // namespace
}  // namespace stanzagate::filters
