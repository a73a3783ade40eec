#include "bench/load/xmpp.hpp"

#include <stdexcept>

namespace stanzagate::load {
namespace {

constexpr std::string_view auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGpvaG4Ac2VjcmV0</auth>";
constexpr std::string_view bind =
    "<iq type='set' id='bind-1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>";
constexpr std::string_view bind_end = "</resource></bind></iq>";
constexpr std::string_view registration_get =
    "<iq type='get' id='reg-1'><query xmlns='jabber:iq:register'/></iq>";
constexpr std::string_view registration_set =
    "<iq type='set' id='reg-2'><query xmlns='jabber:iq:register'><username>spam</username>"
    "<password>secret</password></query></iq>";

// As Prosody says it, more or less.
constexpr std::string_view server_header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='8d2a9f1c-6d0e-4c7b-9a55-2b1f0e3c4d5e' "
    "from='bench.test' version='1.0' xml:lang='en'>";
constexpr std::string_view features_before =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256</mechanism>"
    "<mechanism>PLAIN</mechanism></mechanisms>"
    "<register xmlns='http://jabber.org/features/iq-register'/></stream:features>";
constexpr std::string_view features_after =
    "<stream:features><ver xmlns='urn:xmpp:features:rosterver'/>"
    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><required/></bind>"
    "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'><optional/></session>"
    "<sm xmlns='urn:xmpp:sm:3'/><csi xmlns='urn:xmpp:csi:0'/></stream:features>";
constexpr std::string_view success = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
constexpr std::string_view bound_answer =
    "<iq type='result' id='bind-1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<jid>john@bench.test/load</jid></bind></iq>";
constexpr std::string_view registration_form =
    "<iq type='result' id='reg-1' from='bench.test'><query xmlns='jabber:iq:register'>"
    "<instructions>Choose a username and password to register with this service.</instructions>"
    "<username/><password/></query></iq>";
constexpr std::string_view registration_refusal =
    "<iq type='error' id='reg-2' from='bench.test'><error type='cancel'>"
    "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>";

}  // namespace

std::string stream_header(std::string_view host) {
    return "<?xml version='1.0'?><stream:stream to='" + std::string(host) +
           "' version='1.0' xml:lang='en' xmlns='jabber:client' "
           "xmlns:stream='http://etherx.jabber.org/streams'>";
}

Script greeting(const std::string& header) {
    return {{header, features_end}};
}

Script login(const std::string& header, std::string_view resource) {
    return {{header, features_end},
            {std::string(auth), "<success"},
            {header, features_end},
            {std::string(bind) + std::string(resource) + std::string(bind_end), "</iq"}};
}

Script registration(const std::string& header) {
    return {{header, features_end},
            {std::string(registration_get), "</iq"},
            {std::string(registration_set), "</iq"}};
}

std::string message(std::size_t bytes) {
    std::string text = "<message to='mary@bench.test' type='chat' id='m1'><body>";
    constexpr std::string_view end = "</body></message>";
    if (bytes < text.size() + end.size())
        throw std::invalid_argument("a message takes " + std::to_string(text.size() + end.size()) +
                                    " bytes or more");
    constexpr std::string_view words = "To be, or not to be, that is the question. ";
    while (text.size() < bytes - end.size()) text += words;
    text.resize(bytes - end.size());
    text += end;
    return text;
}

std::string with_namespace(std::string_view stanza) {
    std::string whole(stanza);
    if (stanza.substr(0, stanza.find('>')).find(" xmlns=") != std::string_view::npos) return whole;
    for (std::string_view const begin : {"<message", "<iq"})
        if (stanza.starts_with(begin)) whole.insert(begin.size(), " xmlns='jabber:client'");
    return whole;
}

std::size_t end_of(std::string_view text, std::string_view word) {
    auto const found = text.find(word);
    if (found == std::string_view::npos) return found;
    auto const end = text.find('>', found);
    return end == std::string_view::npos ? end : end + 1;
}

std::string ServerSide::answer(std::string& received) {
    std::string answers;
    std::string_view rest = received;
    while (!bound() && !rest.empty()) {
        std::size_t end = 0;
        if (rest.starts_with("<?xml") || rest.starts_with("<stream:stream")) {
            end = end_of(rest, "<stream:stream");
            if (end != std::string_view::npos) answers += on_header();
        } else if (rest.starts_with("<auth")) {
            end = end_of(rest, "</auth");
            if (end != std::string_view::npos) {
                state_ = State::authenticated;
                answers += success;
            }
        } else if (rest.starts_with("<iq")) {
            end = end_of(rest, "</iq");
            if (end != std::string_view::npos) answers += on_iq(rest.substr(0, end));
        } else if (rest.starts_with(stream_end)) {
            end = stream_end.size();
            answers += stream_end;
        } else {
            break;  // the beginning of one of these
        }
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end);
    }
    received.erase(0, received.size() - rest.size());
    return answers;
}

std::string ServerSide::on_header() const {
    return std::string(server_header) + features();
}

std::string ServerSide::features() const {
    return std::string(state_ == State::fresh ? features_before : features_after);
}

std::string ServerSide::answer_element(std::string_view element) {
    std::string copy(element);
    return answer(copy);
}

std::string ServerSide::on_iq(std::string_view iq) {
    if (iq.find("xmpp-bind'") != std::string_view::npos) {
        state_ = State::bound;
        if (auto const begin = iq.find("<resource>"); begin != std::string_view::npos) {
            auto const name = iq.substr(begin + std::string_view("<resource>").size());
            resource_ = name.substr(0, name.find('<'));
        }
        return std::string(bound_answer);
    }
    bool const is_get = iq.find("type='get'") != std::string_view::npos;
    return std::string(is_get ? registration_form : registration_refusal);
}

}  // namespace stanzagate::load
