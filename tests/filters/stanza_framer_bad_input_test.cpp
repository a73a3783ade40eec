#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "tests/filters/framing.hpp"

// What is not a stream of restricted XML in UTF-8 (RFC 6120 section 11): the right condition, in
// every split, and not one byte of the offending frame in any frame.
namespace stanzagate::filters {
namespace {

using std::string_literals::operator""s;
using Condition = StreamErrorCondition;

struct BadInput {
    const char* name;
    std::string good;  // comes out in frames
    std::string bad;   // does not
    Condition condition;
};

std::ostream& operator<<(std::ostream& out, const BadInput& input) {
    return out << input.name;
}

class BadInputs : public testing::TestWithParam<BadInput> {};

TEST_P(BadInputs, EndTheStream) {
    auto const& [name, good, bad, condition] = GetParam();
    auto const bytes = good + bad;
    auto splits = every_split(bytes);
    splits.push_back({bytes});
    splits.push_back({good, bad});
    for (auto const& pieces : splits) {
        auto const framing = frame_up(pieces);
        ASSERT_TRUE(framing.error) << summary(framing);
        ASSERT_EQ(to_string(*framing.error), to_string(condition)) << "first: " << pieces.front();
        ASSERT_EQ(framing.joined(), good) << "first: " << pieces.front();
        ASSERT_EQ(framing.broken_promise, "");
        ASSERT_FALSE(framing.too_big);
    }
}

std::string utf16(std::string_view ascii, bool big_endian, bool bom) {
    std::string bytes = bom ? (big_endian ? "\xFE\xFF"s : "\xFF\xFE"s) : ""s;
    for (char const c : ascii) bytes += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
    return bytes;
}

std::vector<BadInput> inside_the_stream() {
    struct Inside {
        const char* name;
        std::string good;
        std::string bad;
        Condition condition;
    };
    constexpr auto malformed = Condition::not_well_formed;
    constexpr auto restricted = Condition::restricted_xml;
    constexpr auto encoding = Condition::unsupported_encoding;
    constexpr auto format = Condition::bad_format;
    std::vector<Inside> const cases{
        {"wrong_end_tag", "<x/>", "<a></b>", malformed},
        {"crossed_tags", "<x/>", "<a><b></a></b>", malformed},
        {"end_tag_in_another_case", "", "<a></A>", malformed},
        {"unbound_prefix", "", "<a:b/>", malformed},
        {"unbound_prefix_of_an_attribute", "", "<a b:c='d'/>", malformed},
        {"unbound_prefix_of_a_child", "", "<a><b:c/></a>", malformed},
        {"prefix_out_of_scope", "<a xmlns:b='urn:b'><b:c/></a>", "<b:c/>", malformed},
        {"prefix_undeclared", "", "<a xmlns:b=''/>", malformed},
        {"duplicate_attribute", "", "<a b='1' b='2'/>", malformed},
        {"duplicate_attribute_by_namespace", "",
         "<a xmlns:b='urn:b' xmlns:c='urn:b' b:d='' c:d=''/>", malformed},
        {"attribute_without_quotes", "", "<a b=c/>", malformed},
        {"attribute_without_value", "", "<a b/>", malformed},
        {"attributes_without_space", "", "<a b='c'd='e'/>", malformed},
        {"less_than_in_an_attribute", "", "<a b='<'/>", malformed},
        {"ampersand", "", "<a>&</a>", malformed},
        {"ampersand_in_an_attribute", "", "<a b='&'/>", malformed},
        {"reference_to_nothing", "", "<a>&#;</a>", malformed},
        {"reference_to_nul", "", "<a>&#0;</a>", malformed},
        {"reference_to_a_control_character", "", "<a b='&#x1;'/>", malformed},
        {"reference_to_a_surrogate", "", "<a>&#xD83D;</a>", malformed},
        {"reference_beyond_unicode", "", "<a>&#x110000;</a>", malformed},
        {"cdata_end_in_text", "", "<a>]]></a>", malformed},
        {"nul_in_text", "<x/>", "<a>\0</a>"s, malformed},
        {"nul_in_a_name", "", "<a\0/>"s, malformed},
        {"nul_in_an_attribute", "", "<a b='\0'/>"s, malformed},
        {"control_character", "", "<a>\x01</a>", malformed},
        {"noncharacter", "", "<a>\xEF\xBF\xBF</a>", malformed},
        {"name_that_begins_with_a_digit", "", "<1/>", malformed},
        {"two_colons", "", "<a xmlns:b='urn:b'><b:c:d/></a>", malformed},
        {"namespace_with_the_separator", "", "<a xmlns='urn:&#10;b'/>", malformed},
        {"the_xml_namespace_stolen", "", "<a xmlns:b='http://www.w3.org/XML/1998/namespace'/>",
         malformed},
        {"end_tag_of_another_root", "<x/>", "</stream>", malformed},
        {"a_declaration_inside", "<x/>", "<?xml version='1.0'?><a/>", malformed},

        {"comment", "<x/>", "<!-- -->", restricted},
        {"comment_before_a_stanza", "<x/>", "<!--x--><a/>", restricted},
        {"comment_with_tags", "<x/>", "<!-- <a> > </a> -->", restricted},
        {"comment_in_a_stanza", "<x/>", "<a><!--x--></a>", restricted},
        {"comment_deep_in_a_stanza", "", "<a><b><c><d><e><!--x--></e></d></c></b></a>", restricted},
        {"instruction", "<x/>", "<?x y?><a/>", restricted},
        {"instruction_in_a_stanza", "", "<a><?x?></a>", restricted},
        {"doctype", "<x/>", "<!DOCTYPE a>", restricted},
        {"doctype_with_a_subset", "<x/>", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", restricted},
        {"doctype_in_a_stanza", "", "<a><!DOCTYPE a></a>", restricted},
        {"entity_declaration", "", "<!ENTITY a 'b'>", restricted},
        {"undefined_entity", "<x/>", "<a>&nbsp;</a>", restricted},
        {"undefined_entity_in_an_attribute", "", "<a b='&c;'/>", restricted},
        {"undefined_entity_in_a_namespace", "", "<a xmlns='&c;'/>", restricted},
        {"undefined_entity_between", "<x/>", "&c;<a/>", restricted},

        {"overlong_slash", "<x/>", "<a>\xC0\xAF</a>", encoding},
        {"overlong_less_than_3", "", "<a>\xE0\x80\xBC</a>", encoding},
        {"overlong_less_than_4", "", "<a>\xF0\x80\x80\xBC</a>", encoding},
        {"overlong_nul", "", "<a>\xC0\x80</a>", encoding},
        {"surrogates", "", "<a>\xED\xA0\xBD\xED\xB8\x80</a>", encoding},
        {"beyond_unicode", "", "<a>\xF4\x90\x80\x80</a>", encoding},
        {"five_bytes", "", "<a>\xF8\x88\x80\x80\x80</a>", encoding},
        {"stray_continuation", "", "<a>x\x80y</a>", encoding},
        {"truncated_2", "", "<a>\xC3</a>", encoding},
        {"truncated_3", "", "<a>\xE2\x82</a>", encoding},
        {"truncated_4", "", "<a>\xF0\x9F\x98</a>", encoding},
        {"truncated_before_an_end", "", "<a>>\xF0\x9F></a></stream:stream>", encoding},
        {"latin1", "", "<a>caf\xE9 noir</a>", encoding},
        {"ff", "", "<a>\xFF</a>", encoding},
        {"bad_in_an_attribute", "<x/>", "<a b='\xC0\xAF'/>", encoding},
        {"truncated_in_an_attribute", "", "<a b='\xE2\x82'/>", encoding},
        {"bad_in_a_name", "", "<a\xC0\xAF/>", encoding},
        {"bad_in_an_attribute_name", "", "<a b\xFF='c'/>", encoding},
        {"bad_in_a_child", "", "<a><b\xED\xA0\xBD/></a>", encoding},
        {"bad_in_cdata", "", "<a><![CDATA[\x80]]></a>", encoding},
        {"bad_in_a_namespace", "", "<a xmlns='\xC0\xAF'/>", encoding},
        {"bad_between", "<x/>", "\x80<a/>", encoding},

        {"text_between", "<x/>", "text<a/>", format},
        {"text_behind_filler", "<x/> \n", "text<a/>", format},
        {"text_before_the_end", "<x/>", "text</stream:stream>", format},
        {"entity_between", "<x/>", "&lt;<a/>", format},
        {"space_by_reference", "<x/>", "&#32;<a/>", format},
        {"space_by_reference_before_the_end", "<x/>", "&#32;</stream:stream>", format},
        {"space_by_cdata", "<x/>", "<![CDATA[ ]]><a/>", format},
        {"space_by_cdata_and_filler", "<x/> ", "<![CDATA[ ]]> \n<a/>", format},
        {"empty_cdata", "<x/>", "<![CDATA[]]><a/>", format},
        {"empty_cdata_before_the_end", "<x/>", "<![CDATA[]]></stream:stream>", format},
        {"text_by_cdata", "<x/>", "<![CDATA[<a/>]]>", format},
        {"a_bom_between", "<x/>", "\xEF\xBB\xBF<a/>", format},
        {"greater_than_between", "<x/>", ">", format},

        {"second_header", "<x/>", std::string(client_header).substr(21),
         Condition::policy_violation},
        {"second_header_that_is_empty", "<x/>",
         "<stream xmlns='http://etherx.jabber.org/streams'/>", Condition::policy_violation},
    };
    std::vector<BadInput> inputs;
    inputs.reserve(cases.size());
    for (auto const& input : cases)
        inputs.push_back(
            {input.name, std::string(client_header) + input.good, input.bad, input.condition});
    return inputs;
}

INSTANTIATE_TEST_SUITE_P(InStream, BadInputs, testing::ValuesIn(inside_the_stream()),
                         [](auto const& suite) { return suite.param.name; });

std::vector<BadInput> before_the_stream() {
    std::string const header(client_header);
    auto const bare = header.substr(21);
    auto const declared = [&](const char* declaration) {
        return "<?xml " + std::string(declaration) + "?>" + bare;
    };
    return {
        {"utf16_little", "", utf16(header, false, false), Condition::unsupported_encoding},
        {"utf16_big", "", utf16(header, true, false), Condition::unsupported_encoding},
        {"utf16_little_bom", "", utf16(header, false, true), Condition::unsupported_encoding},
        {"utf16_big_bom", "", utf16(header, true, true), Condition::unsupported_encoding},
        {"utf16_little_space", "", utf16(" " + bare, false, false),
         Condition::unsupported_encoding},
        {"bom", "", "\xEF\xBB\xBF" + header, Condition::not_well_formed},
        {"bom_behind_space", "", "\n\xEF\xBB\xBF" + bare, Condition::not_well_formed},
        {"nul_behind_space", "", "\n \0"s + bare, Condition::not_well_formed},
        {"text", "", "GET / HTTP/1.1\r\n\r\n>", Condition::not_well_formed},
        {"tls_hello", "", "\x16\x03\x01\x02>"s, Condition::not_well_formed},
        {"latin1_declared", "", declared("version='1.0' encoding='ISO-8859-1'"),
         Condition::unsupported_encoding},
        {"utf16_declared", "", declared("version='1.0' encoding='UTF-16'"),
         Condition::unsupported_encoding},
        {"ascii_declared", "", declared("version='1.0' encoding='US-ASCII'"),
         Condition::unsupported_encoding},
        {"unknown_encoding", "", declared("version='1.0' encoding='x-none'"),
         Condition::unsupported_encoding},
        {"xml_1_1", "", declared("version='1.1'"), Condition::not_well_formed},
        {"not_standalone", "", declared("version='1.0' standalone='no'"),
         Condition::restricted_xml},
        {"space_before_a_declaration", "", " " + header, Condition::not_well_formed},
        {"comment", "", "<!-- x -->" + bare, Condition::restricted_xml},
        {"comment_behind_the_declaration", "", "<?xml version='1.0'?><!-- x -->" + bare,
         Condition::restricted_xml},
        {"instruction", "", "<?x y?>" + bare, Condition::restricted_xml},
        {"doctype", "", "<!DOCTYPE stream>" + bare, Condition::restricted_xml},
        {"doctype_with_a_subset", "",
         "<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'><!ENTITY % c 'd'>]>" + bare,
         Condition::restricted_xml},
        {"doctype_external", "", "<!DOCTYPE s SYSTEM 'http://example.org/x.dtd'>" + bare,
         Condition::restricted_xml},
        {"another_root", "", "<html>", Condition::invalid_namespace},
        {"another_namespace", "", "<stream:stream xmlns:stream='urn:x'>",
         Condition::invalid_namespace},
        {"no_namespace", "", "<stream>", Condition::invalid_namespace},
        {"client_namespace", "", "<stream xmlns='jabber:client'>", Condition::invalid_namespace},
        {"another_local_name", "", "<stream:foo xmlns:stream='http://etherx.jabber.org/streams'>",
         Condition::invalid_namespace},
        {"namespace_in_capitals", "",
         "<stream:stream xmlns:stream='http://etherx.jabber.org/Streams'>",
         Condition::invalid_namespace},
        {"open_framing", "", "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
         Condition::invalid_namespace},
        {"unbound_prefix", "", "<stream:stream to='example.org'>", Condition::not_well_formed},
        {"bad_utf8", "", "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' a='\xFF'>",
         Condition::unsupported_encoding},
        {"undefined_entity", "",
         "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' a='&b;'>",
         Condition::restricted_xml},
        {"closing_tag", "", "</stream:stream>", Condition::not_well_formed},
    };
}

INSTANTIATE_TEST_SUITE_P(BeforeStream, BadInputs, testing::ValuesIn(before_the_stream()),
                         [](auto const& suite) { return suite.param.name; });

// The header would come out, were it not for the slash: it is already done when its end is seen.
TEST(BadHeader, ThatClosesItselfIsNoStream) {
    auto bytes = std::string(client_header);
    bytes.insert(bytes.size() - 1, "/");
    bytes += "<a/>";
    for (auto const& pieces : every_split(bytes)) {
        auto const framing = frame_up(pieces);
        ASSERT_EQ(framing.error, Condition::bad_format) << summary(framing);
        ASSERT_EQ(framing.joined(), "");
    }
}

// One byte of a UTF-16 stream is enough where it cannot be anything else.
TEST(BadHeader, IsKnownByItsFirstBytes) {
    for (auto const& bytes : {"\xFE"s, "\xFF"s, "\0"s, "<\0"s, " \0"s})
        EXPECT_EQ(frame_up({bytes}).error, Condition::unsupported_encoding) << int(bytes[0]);
    for (auto const& bytes : {"\xEF"s, "x"s, "\x16"s})
        EXPECT_EQ(frame_up({bytes}).error, Condition::not_well_formed) << bytes;
    for (auto const& bytes : {""s, "<"s, " "s, "\n<"s, "<?"s})
        EXPECT_EQ(frame_up({bytes}).error, std::nullopt) << bytes;
}

}  // namespace
}  // namespace stanzagate::filters
