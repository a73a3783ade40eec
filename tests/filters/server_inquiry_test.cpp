#include "filters/server_inquiry.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "tests/filters/splits.hpp"

namespace stanzagate::filters {
namespace {

const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='x' version='1.0'>";
const std::string mechanisms =
    "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
    "<mechanism>SCRAM-SHA-1</mechanism></mechanisms>";
const std::string request =
    "<iq type='get' id='stanzagate-check' to='example.org'>"
    "<query xmlns='jabber:iq:register'/></iq>";

std::string features(const std::string& content) {
    return header + "<stream:features>" + content + "</stream:features>";
}

std::string reply(const std::string& type, const std::string& content) {
    return features(mechanisms) + "<iq type='" + type + "' id='stanzagate-check'>" + content +
           "</iq>";
}

std::string form(const std::string& content) {
    return reply("result", "<query xmlns='jabber:iq:register'>" + content + "</query>");
}

std::string header_with(const std::string& id) {
    return "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
           "xmlns:stream='http://etherx.jabber.org/streams' id='" +
           id + "'>";
}

OfferedFeatures logins() {
    OfferedFeatures offered;
    offered.mechanisms = {"PLAIN", "SCRAM-SHA-1"};
    return offered;
}

// After the features, and with this answer to the question that followed.
ServerAnswers asked(RegistrationReply registration, const std::string& refusal = {}) {
    ServerAnswers answers;
    answers.features = logins();
    answers.asked_to_register = true;
    answers.registration = registration;
    answers.refusal = refusal;
    return answers;
}

ServerAnswers with_features(OfferedFeatures offered) {
    ServerAnswers answers;
    answers.asked_to_register = !offered.mechanisms.empty();
    answers.features = std::move(offered);
    return answers;
}

ServerAnswers ended(const std::string& stream_error) {
    ServerAnswers answers;
    answers.stream_error = stream_error;
    return answers;
}

ServerAnswers of_kind(ServerKind kind) {
    ServerAnswers answers;
    answers.kind = kind;
    return answers;
}

struct Case {
    const char* name;
    std::string server;
    ServerAnswers answers;
    bool done;
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}

class Inquiries : public testing::TestWithParam<Case> {};

TEST_P(Inquiries, InEverySplit) {
    auto splits = some_splits(GetParam().server, 1);
    for (auto const& pieces : splits) {
        ServerInquiry inquiry("example.org");
        std::string sent;
        for (auto const piece : pieces) sent += inquiry.receive(piece);
        auto const& answers = inquiry.answers();
        ASSERT_EQ(answers, GetParam().answers) << "first: " << pieces.front();
        ASSERT_EQ(inquiry.done(), GetParam().done) << "first: " << pieces.front();
        ASSERT_EQ(sent, answers.asked_to_register ? request : "");
    }
}

ServerAnswers no_xmpp() {
    ServerAnswers answers;
    answers.no_xmpp = true;
    return answers;
}

std::vector<Case> cases() {
    std::vector<Case> all{
        {"waiting", header, {}, false},
        {"closed", header + "</stream:stream>", {}, true},
        {"no_xmpp", "HTTP/1.1 400 Bad Request\r\n", no_xmpp(), true},
        {"stream_error",
         header + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                  "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no</text></stream:error>",
         ended("host-unknown"), true},
        {"stream_error_with_its_text_first",
         header + "<stream:error><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>no</text>"
                  "<not-well-formed xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
         ended("not-well-formed"), true},
        {"no_answer_to_the_question", features(mechanisms), with_features(logins()), false},
        {"no_way_to_log_in", features(""), with_features({}), true},
        {"fields", form("<instructions>a</instructions><username/><password/>"),
         asked(RegistrationReply::form), true},
        {"data_form", form("<instructions>a</instructions><x xmlns='jabber:x:data' type='form'/>"),
         asked(RegistrationReply::form), true},
        {"redirect", form("<instructions>a</instructions><x xmlns='jabber:x:oob'><url>u</url></x>"),
         asked(RegistrationReply::redirect), true},
        {"no_query", reply("result", ""), asked(RegistrationReply::redirect), true},
        {"refused",
         reply("error",
               "<query xmlns='jabber:iq:register'/><error type='cancel'>"
               "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
               "</error>"),
         asked(RegistrationReply::refused, "service-unavailable"), true},
        {"refused_without_a_word", reply("error", ""),
         asked(RegistrationReply::refused, "undefined-condition"), true},
        {"another_iq", features(mechanisms) + "<iq type='result' id='other'/>",
         with_features(logins()), false},
        {"answer_that_nobody_asked_for",
         header + "<iq type='result' id='stanzagate-check'/>",
         {},
         false},
        {"prosody", header_with("0b5cf6c4-0d0f-4d7c-9d8e-0c1f2a3b4c5d"),
         of_kind(ServerKind::prosody), false},
        {"nearly_prosody", header_with("0b5cf6c4-0d0f-4d7c-9d8e_0c1f2a3b4c5d"),
         of_kind(ServerKind::unknown), false},
        {"ejabberd", header_with("15417254817367104516"), of_kind(ServerKind::ejabberd), false},
        {"nearly_ejabberd", header_with("1541725"), of_kind(ServerKind::unknown), false},
    };
    OfferedFeatures required;
    required.starttls = required.starttls_required = true;
    all.push_back({"starttls_required",
                   features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>"
                            "</starttls>"),
                   with_features(required), true});
    auto everything = logins();
    everything.starttls = everything.compression = everything.registration =
        everything.channel_binding_types = true;
    everything.mechanisms.emplace_back("EXTERNAL");
    everything.max_bytes = 8192;
    all.push_back(
        {"everything",
         features("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + mechanisms +
                  "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>PLAIN</mechanism>"
                  "<mechanism>EXTERNAL</mechanism><inline/></authentication>"
                  "<compression xmlns='http://jabber.org/features/compress'/>"
                  "<register xmlns='http://jabber.org/features/iq-register'/>"
                  "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes> 8192\n</max-bytes></limits>"
                  "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'/>"),
         with_features(everything), false});
    all.push_back({"same_names_in_other_namespaces",
                   features("<starttls/>" + mechanisms +
                            "<compression/><register/><limits><max-bytes>1</max-bytes></limits>"
                            "<sasl-channel-binding/>"),
                   with_features(logins()), false});
    auto ejabberd = with_features(logins());
    ejabberd.kind = ServerKind::ejabberd;
    all.push_back({"ejabberd_by_its_capabilities",
                   features(mechanisms + "<c xmlns='http://jabber.org/protocol/caps' "
                                         "node='http://www.process-one.net/en/ejabberd/'/>"),
                   ejabberd, false});
    auto turned_away = with_features(logins());
    turned_away.stream_error = "not-authorized";
    all.push_back({"turned_away_for_asking",
                   features(mechanisms) +
                       "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                       "</stream:error></stream:stream>",
                   turned_away, true});
    return all;
}

INSTANTIATE_TEST_SUITE_P(ServerInquiry, Inquiries, testing::ValuesIn(cases()),
                         [](auto const& suite) { return suite.param.name; });

TEST(ServerInquiry, Opens) {
    EXPECT_EQ(ServerInquiry("a'b").opening(),
              "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
              "xmlns:stream='http://etherx.jabber.org/streams' to='a&apos;b' version='1.0'>");
}

}  // namespace
}  // namespace stanzagate::filters
