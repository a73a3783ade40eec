#include "config/rules.hpp"

namespace stanzagate::config {

Registration with_overrides(const Registration& registration, const RuleAnswer& answer) {
    Registration result = registration;
    if (answer.url) result.url = answer.url;
    if (answer.text) result.text = *answer.text;
    if (answer.oob) result.oob = *answer.oob;
    if (answer.refusal) result.refusal = *answer.refusal;
    return result;
}

}  // namespace stanzagate::config
