#include "filters/stream_features.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/filters/framing.hpp"

namespace stanzagate::filters {
namespace {

using Wanted = FeatureEdits::Registration;

const std::string header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns:t='urn:ietf:params:xml:ns:xmpp-tls'>";

template <typename Use>
auto with_frame(const std::string& features, Use use) {
    StanzaFramer framer({.frame_bytes = 1U << 20U, .depth = 20, .attributes = 20});
    framer.feed(header + features);
    static_cast<void>(framer.next());
    auto const* const frame = framer.next();
    if (!frame) throw std::invalid_argument("no frame: " + features);
    return use(*frame);
}

std::string rewritten(const std::string& children, const FeatureEdits& edits) {
    return with_frame("<stream:features>" + children + "</stream:features>",
                      [&](const Frame& frame) {
                          auto const text = rewrite_features(frame, edits);
                          auto const end = text.size() - std::string("</stream:features>").size();
                          return text.substr(17, end - 17);
                      });
}

struct Case {
    const char* name;
    std::string before;
    Wanted registration;
    bool hide_flows;
    std::string after;
};

std::ostream& operator<<(std::ostream& out, const Case& one) {
    return out << one.name;
}

class Features : public testing::TestWithParam<Case> {};

TEST_P(Features, AreEdited) {
    auto const& [name, before, registration, hide_flows, after] = GetParam();
    FeatureEdits edits;
    edits.registration = registration;
    edits.hide_registration_flows = hide_flows;
    edits.max_bytes = 1000;
    edits.idle_seconds = 60;
    EXPECT_EQ(rewritten(before, edits), after);
}

const std::string starttls =
    "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>";
const std::string compression =
    "<compression xmlns='http://jabber.org/features/compress'><method>zlib</method></compression>";
const std::string registration = "<register xmlns='http://jabber.org/features/iq-register'/>";
const std::string flows = "<register xmlns='urn:xmpp:register:0'><flow id='0'/></register>";

std::string limits(const std::string& content) {
    return "<limits xmlns='urn:xmpp:stream-limits:0'>" + content + "</limits>";
}

INSTANTIATE_TEST_SUITE_P(
    StreamFeatures, Features,
    testing::ValuesIn(std::vector<Case>{
        {"nothing", "", Wanted::as_it_comes, false, ""},
        {"starttls", starttls, Wanted::as_it_comes, false, ""},
        {"starttls_by_prefix", "<a/><t:starttls></t:starttls ><b/>", Wanted::as_it_comes, false,
         "<a/><b/>"},
        {"compression", " " + compression + "\n", Wanted::as_it_comes, false, " \n"},
        {"one_behind_another", starttls + compression + "<a/>" + starttls, Wanted::as_it_comes,
         false, "<a/>"},
        {"all_cut", starttls + compression + registration + flows, Wanted::absent, true, ""},
        {"as_it_comes", registration + flows, Wanted::as_it_comes, false, registration + flows},
        {"registration_absent", registration + "<a/>" + registration, Wanted::absent, false,
         "<a/>"},
        {"registration_added", "<a/>\n", Wanted::present, false, "<a/>\n" + registration},
        {"registration_stays", registration + "<a/>", Wanted::present, false,
         registration + "<a/>"},
        {"added_where_others_are_cut", starttls, Wanted::present, false, registration},
        {"cut_at_the_very_end", "<a/>" + compression, Wanted::present, false,
         "<a/>" + registration},
        {"flows_hidden", flows + "<recovery xmlns='urn:xmpp:register:0'/>", Wanted::as_it_comes,
         true, "<recovery xmlns='urn:xmpp:register:0'/>"},
        {"invitations_stay",
         "<register xmlns='urn:xmpp:ibr-token:0'/><register "
         "xmlns='urn:xmpp:invite'/>",
         Wanted::absent, true,
         "<register xmlns='urn:xmpp:ibr-token:0'/><register xmlns='urn:xmpp:invite'/>"},
        {"invitations_are_not_the_feature", "<register xmlns='urn:xmpp:invite'/>", Wanted::present,
         false, "<register xmlns='urn:xmpp:invite'/>" + registration},
        {"further_down_nothing", "<a>" + starttls + registration + flows + "</a>", Wanted::absent,
         true, "<a>" + starttls + registration + flows + "</a>"},
        {"same_names_in_other_namespaces", "<starttls/><compression/><register/><limits/>",
         Wanted::absent, true, "<starttls/><compression/><register/><limits/>"},
        {"unknown", "<x xmlns='urn:x' a=\"&lt;'\" ><![CDATA[</x>]]>&#65;</x >", Wanted::absent,
         true, "<x xmlns='urn:x' a=\"&lt;'\" ><![CDATA[</x>]]>&#65;</x >"},
        {"limits_lowered", limits("<max-bytes>1001</max-bytes><idle-seconds>61</idle-seconds>"),
         Wanted::as_it_comes, false,
         limits("<max-bytes>1000</max-bytes><idle-seconds>60</idle-seconds>")},
        {"limits_low_enough", limits("<max-bytes>1000</max-bytes>\n<idle-seconds>0</idle-seconds>"),
         Wanted::as_it_comes, false,
         limits("<max-bytes>1000</max-bytes>\n<idle-seconds>0</idle-seconds>")},
        {"limits_written_oddly", limits("<max-bytes>&#57;9<![CDATA[99]]></max-bytes ><y/>"),
         Wanted::as_it_comes, false, limits("<max-bytes>1000</max-bytes ><y/>")},
        {"limits_beyond_numbers", limits("<max-bytes>99999999999999999999999</max-bytes>"),
         Wanted::as_it_comes, false, limits("<max-bytes>1000</max-bytes>")},
        {"limits_with_space", limits("<max-bytes> 99999\n</max-bytes>"), Wanted::as_it_comes, false,
         limits("<max-bytes>1000</max-bytes>")},
        {"limits_that_are_none",
         limits("<max-bytes/><idle-seconds>-5</idle-seconds><max-bytes>x</max-bytes>"),
         Wanted::as_it_comes, false,
         limits("<max-bytes/><idle-seconds>-5</idle-seconds><max-bytes>x</max-bytes>")},
        {"limits_and_all",
         starttls + limits("<idle-seconds>99</idle-seconds>") + registration + compression,
         Wanted::absent, false, limits("<idle-seconds>60</idle-seconds>")},
    }),
    [](auto const& suite) { return suite.param.name; });

TEST(EmptyFeatures, AreOpenedUp) {
    FeatureEdits edits;
    edits.registration = Wanted::present;
    for (auto const& [before, after] :
         {std::pair{"<stream:features/>",
                    "<stream:features>" + registration + "</stream:features>"},
          std::pair{"<stream:features a='/>' />",
                    "<stream:features a='/>' >" + registration + "</stream:features>"},
          std::pair{"<features xmlns='http://etherx.jabber.org/streams'\n/>",
                    "<features xmlns='http://etherx.jabber.org/streams'\n>" + registration +
                        "</features>"}})
        EXPECT_EQ(with_frame(before, [&](const Frame& f) { return rewrite_features(f, edits); }),
                  after);
    edits.registration = Wanted::absent;
    EXPECT_EQ(with_frame("<stream:features/>",
                         [&](const Frame& f) { return rewrite_features(f, edits); }),
              "<stream:features/>");
}

FeatureFindings findings(const std::string& children) {
    return with_frame("<stream:features>" + children + "</stream:features>", look_at_features);
}

std::string mechanisms(const std::string& name) {
    return "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism>"
           "<mechanism>" +
           name + "</mechanism></mechanisms>";
}

TEST(FeatureFindings, WhatTheUpstreamShouldNotOffer) {
    EXPECT_FALSE(findings(mechanisms("SCRAM-SHA-1")).channel_binding);
    EXPECT_FALSE(findings(mechanisms("SCRAM-SHA-1")).external);
    EXPECT_TRUE(findings(mechanisms("SCRAM-SHA-1-PLUS")).channel_binding);
    EXPECT_TRUE(findings(mechanisms("EXTERNAL")).external);
    EXPECT_FALSE(findings(mechanisms("X-EXTERNAL")).external);
    auto const sasl2 = findings(
        "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-256-PLUS</mechanism>"
        "<inline><fast xmlns='urn:xmpp:fast:0'/></inline></authentication>");
    EXPECT_TRUE(sasl2.channel_binding);
    EXPECT_FALSE(sasl2.external);
}

TEST(FeatureFindings, OnlyStarttls) {
    EXPECT_TRUE(findings(starttls).starttls_only);
    EXPECT_TRUE(findings("<a/>" + starttls).starttls_only);
    EXPECT_FALSE(findings(starttls + mechanisms("x")).starttls_only);
    EXPECT_FALSE(findings("<t:starttls/>").starttls_only);
    EXPECT_FALSE(findings("").starttls_only);
    EXPECT_FALSE(findings(starttls + "<authentication xmlns='urn:xmpp:sasl:2'/>").starttls_only);
}

}  // namespace
}  // namespace stanzagate::filters
