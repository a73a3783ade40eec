#include "tests/filters/registration_corpus.hpp"

#include <array>
#include <cstddef>
#include <random>

#include "filters/lax_reading.hpp"
#include "filters/stanza_framer.hpp"

namespace stanzagate::filters {

const char* const corpus_header =
    "<?xml version='1.0'?><stream:stream to='example.org' version='1.0' xmlns='jabber:client' "
    "xmlns:hc='jabber:client' xmlns:hr='jabber:iq:register' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";

namespace {

using std::string_literals::operator""s;

// One way to write a part; `value` is what a parser makes of it.
struct Written {
    std::string xml;
    std::optional<std::string> value = {};
    bool ambiguous = false;
    bool at_home = true;
};

// The iq's name, what follows it in the tag, and its end tag. "" stands for nothing.
struct IqForm {
    std::string name;
    std::string declarations;
    std::string tail;
    std::string end;
};

const std::vector<IqForm>& iq_forms() {
    static const std::vector<IqForm> forms{
        {"iq", "", "", "</iq>"},
        {"iq", " xmlns='jabber:client'", "", "</iq>"},
        {"iq", " xmlns=\"jabber&#58;client\"", " ", "</iq >"},
        {"c:iq", " xmlns:c='jabber:client'", "", "</c:iq>"},
        {"hc:iq", "", "", "</hc:iq>"},
        {"iq", " xmlns=''", "", "</iq>"},
        {"iq", " xmlns='urn:other'", "", "</iq>"},
        {"iq", " xmlns='jabber:server'", "", "</iq>"},
        {"iq", " xmlns='jabber:iq:register'", "", "</iq>"},
        {"iq", " xmlns='urn:ietf:params:xml:ns:xmpp-sasl'", "", "</iq>"},
        {"stream:iq", "", "", "</stream:iq>"},
        {"iq", "\r\n\txmlns='jabber:client'\n", "\n\t", "</iq\n>"},
        {"iq", " xml:lang='de' x='>' y=\"/>\"", "", "</iq>"},
        {"a.b-c_d:iq", " xmlns:a.b-c_d='jabber:client'", "", "</a.b-c_d:iq>"},
    };
    return forms;
}

const std::vector<Written>& types() {
    static const std::vector<Written> written{
        {" type='get'"},
        {" type='set'"},
        {" type=\"set\""},
        {"\ttype\n=\n'g&#101;t'"},
        {" type='&#x73;et'"},
        {"", {}, true},
        {" type=''", {}, true},
        {" type='GET'", {}, true},
        {" type='Set'", {}, true},
        {" type=' get'", {}, true},
        {" type='subscribe'", {}, true},
        {" TYPE='get'", {}, true},
        {" xmlns:t='urn:t' t:type='set'", {}, true},
        {" type='set' TYPE='result'"},
        {" xmlns:t='urn:t' t:type='result' type='set'"},
    };
    return written;
}

const std::vector<Written>& ids() {
    static const std::vector<Written> written{
        {" id='r1'", "r1"},
        {""},
        {" id=''", ""},
        {" id='&lt;/iq&gt;'", "</iq>"},
        {" id=\"'\"", "'"},
        {" id='\"&amp;&quot;'", "\"&\""},
        {" id='a&#10;b&#13;&#9;'", "a\nb\r\t"},
        {" id='a\nb'", "a b"},
        {" id='\xF0\x9F\x98\x80\xC3\xA9'", "\xF0\x9F\x98\x80\xC3\xA9"},
        {" id='&#x1F600;'", "\xF0\x9F\x98\x80"},
        {" id='" + std::string(2000, 'x') + "'", std::string(2000, 'x')},
        {" id='>'", ">"},
        {" id=' r1 '", " r1 "},
    };
    return written;
}

const std::vector<Written>& addresses() {
    static const std::vector<Written> written{
        {""},
        {" to='example.org'", "example.org"},
        {" to='EXAMPLE.org' from='someone@example.org/x'", "EXAMPLE.org"},
        {" to='ann@example.org/home'", "ann@example.org/home"},
        {" to='second.example'", "second.example"},
        {" from='a&amp;b@c'"},
        {" to='strict.example'", "strict.example", false, false},
        {" to='ann@strict.example/example.org'", "ann@strict.example/example.org", false, false},
        {" to='nowhere.example'", "nowhere.example", false, false},
        {" to='conference.example.org'", "conference.example.org", false, false},
        {" to='exa&#109;ple.org.evil.example'", "example.org.evil.example", false, false},
        {" to='example.org/x@strict.example'", "example.org/x@strict.example"},
    };
    return written;
}

const std::vector<std::string>& bodies() {
    static const std::vector<std::string> written{
        "",
        "<username>S3CRET</username><password>S3CRET</password>",
        "S3CRET",
        "<password><![CDATA[S3CRET</password></query></iq>]]></password>",
        "<password>&#x53;3CRET&lt;/iq&gt;</password>",
        "\n  <username>S3CRET</username>\n",
        "<remove/>",
        "<query xmlns='jabber:iq:register'><query/></query>",
        "<x xmlns='jabber:x:data' type='submit'><field var='p'><value>S3CRET</value></field></x>",
        "<iq xmlns='jabber:client' type='result' id='r1'/>",
    };
    return written;
}

// `*` stands for the body.
const std::vector<Written>& contents() {
    static const std::vector<Written> written{
        {"<query xmlns='jabber:iq:register'>*</query>"},
        {"<query xmlns=\"jabber:iq:register\"\n>*</query >"},
        {"<r:query xmlns:r='jabber:iq:register'>*</r:query>"},
        {"<hr:query>*</hr:query>"},
        {"<hr:register a='S3CRET'>*</hr:register>"},
        {"<foo xmlns='jabber:iq:register'>*</foo>"},
        {"<iq xmlns='jabber:iq:register'>*</iq>"},
        {"<query xmlns='jabber&#58;iq&#x3a;register'>*</query>"},
        {"<query xmlns='&#106;abber:iq:registe&#x72;'>*</query>"},
        {"<r:q xmlns='urn:decoy' xmlns:r='jabber:iq:register'>*</r:q>"},
        {"<q a='1' b='2' xmlns:a='urn:a' a:a='3' xmlns='jabber:iq:register'>*</q>"},
        {"<register xmlns='urn:xmpp:register:0'>*</register>"},
        {"<hr:query/>"},
        {"text<hr:query>*</hr:query>text"},
        {" \n<![CDATA[</iq>]]><hr:query>*</hr:query>&#10;"},
        {"<x/><hr:query>*</hr:query>", {}, true},
        {"<hr:query>*</hr:query><x>*</x>", {}, true},
        {"<hr:query>*</hr:query><hr:query>*</hr:query>", {}, true},
        {"<a/><b/><c/><hr:query>*</hr:query><d/>", {}, true},
        {"<query xmlns='jabber:iq:auth'/><hr:query>*</hr:query>", {}, true},
        {"<preauth xmlns='urn:xmpp:pars:0' token='t'/><hr:query>*</hr:query>", {}, true},
        {"<hr:query>*</hr:query><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", {}, true},
        {"<register xmlns='urn:xmpp:register:0'/><ping xmlns='urn:xmpp:ping'/>", {}, true},
    };
    return written;
}

struct Choice {
    std::size_t iq = 0;
    std::size_t type = 0;
    std::size_t id = 0;
    std::size_t address = 0;
    std::size_t content = 0;
    std::size_t body = 1;
    bool id_first = false;
};

bool is_misleading(const std::string& xml) {
    StanzaFramer framer({});
    framer.feed(corpus_header);
    LaxReading reading;
    reading.note(*framer.next());
    framer.feed(xml);
    auto const* const frame = framer.next();
    return frame && (frame->attributes.qualified || reading.may_see_another(*frame));
}

CorpusRequest write(const Choice& choice) {
    auto const& iq = iq_forms().at(choice.iq);
    auto const& type = types().at(choice.type);
    auto const& id = ids().at(choice.id);
    auto const& address = addresses().at(choice.address);
    auto const& content = contents().at(choice.content);
    std::string inner;
    for (char const c : content.xml) inner += c == '*' ? bodies().at(choice.body) : std::string{c};

    CorpusRequest request;
    request.xml = "<" + iq.name;
    if (choice.id_first) request.xml += id.xml + address.xml;
    request.xml += iq.declarations + type.xml;
    if (!choice.id_first) request.xml += address.xml + id.xml;
    request.xml += iq.tail + ">" + inner + iq.end;
    request.id = id.value;
    request.to = address.value;
    request.ambiguous = type.ambiguous || content.ambiguous;
    request.misleading = is_misleading(request.xml);
    request.at_home = address.at_home;
    return request;
}

}  // namespace

std::vector<CorpusRequest> registration_corpus(std::size_t mixed, unsigned seed) {
    struct Dimension {
        std::size_t Choice::* member;
        std::size_t size;
    };
    std::array<Dimension, 6> const dimensions{{
        {&Choice::iq, iq_forms().size()},
        {&Choice::type, types().size()},
        {&Choice::id, ids().size()},
        {&Choice::address, addresses().size()},
        {&Choice::content, contents().size()},
        {&Choice::body, bodies().size()},
    }};
    std::vector<CorpusRequest> corpus;
    for (auto const& dimension : dimensions) {
        for (std::size_t i = 0; i < dimension.size; ++i) {
            Choice choice;
            choice.*dimension.member = i;
            corpus.push_back(write(choice));
        }
    }
    std::mt19937 random(seed);
    for (std::size_t n = 0; n < mixed; ++n) {
        Choice choice;
        for (auto const& dimension : dimensions)
            choice.*dimension.member = random() % dimension.size;
        choice.id_first = random() % 2 == 0;
        corpus.push_back(write(choice));
    }
    return corpus;
}

std::vector<std::string> lookalikes() {
    return {
        "<iq type='set' id='1'><x><query xmlns='jabber:iq:register'/></x></iq>",
        "<iq type='result' id='1'><query xmlns='jabber:iq:register'/></iq>",
        "<iq type='error' id='1'><query xmlns='jabber:iq:register'/><error type='cancel'/></iq>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:register '/></iq>",
        "<iq type='get' id='1'><query xmlns='Jabber:iq:register'/></iq>",
        "<iq type='get' id='1'><query xmlns='jabber:iq:registers'/></iq>",
        "<iq type='get' id='1'><register xmlns='http://jabber.org/features/iq-register'/></iq>",
        "<iq type='get' id='1'><hr:query xmlns:hr='urn:not-that'/></iq>",
        "<iq type='get' id='1'>&lt;query xmlns='jabber:iq:register'/&gt;</iq>",
        "<iq type='get' id='1'><![CDATA[<query xmlns='jabber:iq:register'/>]]></iq>",
        "<iq type='get' id='1' hr:query='x'/>",
        "<IQ type='get' id='1'><hr:query/></IQ>",
        "<message><hr:query/></message>",
        "<presence type='get'><hr:query/></presence>",
        "<hr:query/>",
        "<query xmlns='jabber:iq:register'><username>a</username></query>",
        "<register/>",
        "<iq type='get' id='1'><recovery xmlns='urn:xmpp:register:0'/></iq>",
    };
}

}  // namespace stanzagate::filters
