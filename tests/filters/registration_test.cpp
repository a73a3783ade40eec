#include "filters/registration.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/filters/framing.hpp"
#include "tests/filters/registration_corpus.hpp"
#include "tests/filters/test_config.hpp"

namespace stanzagate::filters {
namespace {

std::optional<RegistrationRequest> request_in(const std::string& element) {
    StanzaFramer framer({});
    framer.feed(corpus_header + element);
    static_cast<void>(framer.next());
    auto const* const frame = framer.next();
    if (!frame) throw std::invalid_argument("no element: " + element);
    return registration_request(*frame);
}

struct Case {
    std::string element;
    RequestKind kind;
    bool ambiguous;
};

TEST(RegistrationRequest, WhatItIs) {
    constexpr auto get = RequestKind::get;
    constexpr auto set = RequestKind::set;
    constexpr auto flow = RequestKind::flow;
    for (auto const& [element, kind, ambiguous] : std::vector<Case>{
             {"<iq type='get'><hr:query/></iq>", get, false},
             {"<iq type='set'><hr:query/></iq>", set, false},
             {"<iq type='set'><hr:anything/></iq>", set, false},
             {"<x:iq xmlns:x='urn:x' type='set'><hr:query/></x:iq>", set, false},
             {"<iq type='set'><register xmlns='urn:xmpp:register:0'/></iq>", flow, false},
             {"<iq><hr:query/></iq>", get, true},
             {"<iq type='odd'><hr:query/></iq>", get, true},
             {"<iq type='set'><hr:query/><x/></iq>", set, true},
             {"<iq type='set'><x/><hr:query/></iq>", set, true},
         }) {
        auto const request = request_in(element);
        ASSERT_TRUE(request) << element;
        EXPECT_EQ(request->kind, kind) << element;
        EXPECT_EQ(request->ambiguous, ambiguous) << element;
        EXPECT_TRUE(request->stanza);
    }
    auto const first_level = request_in("<register xmlns='urn:xmpp:register:0'/>");
    ASSERT_TRUE(first_level);
    EXPECT_EQ(first_level->kind, flow);
    EXPECT_FALSE(first_level->stanza);
}

TEST(RegistrationRequest, WhatItIsNot) {
    for (auto const& element : lookalikes()) EXPECT_FALSE(request_in(element)) << element;
}

TEST(RegistrationRequest, CarriesWhatAnAnswerNeeds) {
    auto const request =
        request_in("<iq type='set' id='1' to='a@b' from='c' xml:lang='de'><hr:query/></iq>");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->id, "1");
    EXPECT_EQ(request->to, "a@b");
    EXPECT_EQ(request->from, "c");
    EXPECT_EQ(request->lang, "de");
}

class Answers : public testing::Test {
protected:
    std::string answer_to(const std::string& element, Action action = Action::redirect) const {
        auto const peer = peer_at(stranger);
        return answer(*request_in(element), {action, "rule", &registration_},
                      {"example.org", "", peer});
    }
    config::Registration registration_ = config_of().find_host("example.org")->registration;
};

constexpr std::string_view words =
    "Please visit https://example.org/register to register an account on this server.";

TEST_F(Answers, Redirect) {
    EXPECT_EQ(answer_to("<iq type='get' id='r&amp;1' to='localhost'><hr:query/></iq>"),
              "<iq xmlns='jabber:client' type='result' id='r&amp;1' from='localhost'>"
              "<query xmlns='jabber:iq:register'><instructions>" +
                  std::string(words) +
                  "</instructions><x xmlns='jabber:x:oob'><url>https://example.org/register</url>"
                  "</x></query></iq>");
}

TEST_F(Answers, Refusal) {
    auto const refused =
        "<error type='cancel'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>" +
        std::string(words) + "</text></error></iq>";
    EXPECT_EQ(answer_to("<iq type='set' id='r2'><hr:query/></iq>"),
              "<iq xmlns='jabber:client' type='error' id='r2'>" + refused);
    EXPECT_EQ(answer_to("<iq type='get' id='r2'><hr:query/></iq>", Action::refuse),
              "<iq xmlns='jabber:client' type='error' id='r2'>" + refused);
    EXPECT_EQ(answer_to("<iq type='get'><register xmlns='urn:xmpp:register:0'/></iq>"),
              "<iq xmlns='jabber:client' type='error'>" + refused);
}

TEST_F(Answers, RefusalConditions) {
    for (auto const& [refusal, name] :
         {std::pair{config::Refusal::not_authorized, "not-authorized"},
          std::pair{config::Refusal::not_allowed, "not-allowed"},
          std::pair{config::Refusal::forbidden, "forbidden"},
          std::pair{config::Refusal::not_acceptable, "not-acceptable"}}) {
        registration_.refusal = refusal;
        auto const xml = answer_to("<iq type='set'><hr:query/></iq>");
        EXPECT_NE(xml.find("<error type='cancel'><" + std::string(name) + " "), std::string::npos)
            << xml;
    }
}

// A registration without anything to tell (config.hpp) refuses a get too.
TEST_F(Answers, NothingToTell) {
    registration_ = {};
    for (auto const* const type : {"get", "set"})
        EXPECT_EQ(answer_to("<iq type='" + std::string(type) + "'><hr:query/></iq>"),
                  "<iq xmlns='jabber:client' type='error'><error type='cancel'><not-authorized "
                  "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

TEST_F(Answers, AreEscaped) {
    registration_.url =
        std::get<config::TextTemplate>(config::TextTemplate::parse("https://example.org/?a=1&b='"));
    auto const xml =
        answer_to("<iq type='get' id=\"&lt;'&gt;\" to='a&quot;' from='&amp;b'><hr:query/></iq>");
    EXPECT_EQ(xml,
              "<iq xmlns='jabber:client' type='result' id='&lt;&apos;&gt;' from='a&quot;' "
              "to='&amp;b'><query xmlns='jabber:iq:register'><instructions>Please visit "
              "https://example.org/?a=1&amp;b=&apos; to register an account on this server."
              "</instructions><x xmlns='jabber:x:oob'><url>https://example.org/?a=1&amp;b=&apos;"
              "</url></x></query></iq>");
}

// Nothing of what a client sent to register comes back.
TEST_F(Answers, DoNotEchoTheRequest) {
    for (auto const& request : registration_corpus(200, 5)) {
        auto const xml = answer_to(request.xml);
        EXPECT_EQ(xml.find("S3CRET"), std::string::npos) << xml;
        auto const framing = frame_up({std::string(client_header) + xml});
        EXPECT_EQ(framing.error, std::nullopt) << xml;
        EXPECT_EQ(framing.frames.size(), 2U);
    }
}

TEST(BadRequest, IsWritten) {
    Attributes attributes;
    attributes.id = "<";
    attributes.to = "example.org";
    EXPECT_EQ(bad_request(attributes),
              "<iq xmlns='jabber:client' type='error' id='&lt;' from='example.org'>"
              "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
              "</error></iq>");
    EXPECT_EQ(bad_request({}),
              "<iq xmlns='jabber:client' type='error'><error type='modify'>"
              "<bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
}

}  // namespace
}  // namespace stanzagate::filters
