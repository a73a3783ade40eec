#include "tests/filters/leak_situations.hpp"

namespace stanzagate::filters {
namespace {

const std::string before = "<presence id='before'/>";
const std::string auth =
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>";
const std::string response = "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string challenge = "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string token = "<iq type='set' id='t'><preauth xmlns='urn:xmpp:pars:0' token='x'/></iq>";
const std::string token_accepted = "<iq type='result' id='t'/>";
const std::string iq_auth = "<iq type='set' id='t'><query xmlns='jabber:iq:auth'/></iq>";
const std::string iq_auth_failed = "<iq type='error' id='t'/>";

}  // namespace

std::vector<Situation> situations() {
    return {
        {"in_a_quiet_session", false, before, "", ""},
        {"with_the_header", true, before, "", ""},
        {"right_behind_the_header", true, "", "", ""},
        {"behind_an_auth_that_fails", false, auth, failure, ""},
        {"with_the_header_and_an_auth_that_fails", true, auth, failure, ""},
        {"instead_of_a_response", false, auth, challenge, ""},
        {"behind_a_response_that_fails", false, auth + response, challenge, failure},
        {"behind_a_token", false, token, token_accepted, ""},
        {"behind_iq_auth_that_fails", true, iq_auth, iq_auth_failed, ""},
        {"behind_an_abort", false, auth + "<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
         challenge, failure},
        {"behind_white_space", false, " \n\t ", "", ""},
    };
}

}  // namespace stanzagate::filters
