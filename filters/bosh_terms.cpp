#include "filters/bosh_terms.hpp"

#include <algorithm>

#include "config/host_name.hpp"

namespace stanzagate::filters {
namespace {

constexpr BoshVersion our_version{1, 11};
constexpr std::size_t most_type_bytes = 100;

std::string_view trimmed(std::string_view text) {
    auto const begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

// XEP-0124 section 7.1 lets a client ask for any type. What is sent to a browser as a page runs
// with all the rights of this origin, and a page of another site can ask for it.
bool is_xml_type(std::string_view text) {
    if (text.size() > most_type_bytes) return false;
    auto const lower = config::ascii_lower(text);
    auto const semicolon = lower.find(';');
    auto const type = trimmed(std::string_view(lower).substr(0, semicolon));
    if (type != "text/xml" && type != "application/xml") return false;
    if (semicolon == std::string::npos) return true;
    auto const parameter = trimmed(std::string_view(lower).substr(semicolon + 1));
    return parameter == "charset=utf-8" || parameter == "charset=\"utf-8\"";
}

}  // namespace

BoshTerms::BoshTerms(const BoshBody& request, const BoshSettings& settings)
    : inactivity(settings.inactivity),
      polling(settings.polling),
      pause(settings.pause),
      legacy(!request.ver) {
    auto const most_wait = static_cast<std::uint64_t>(settings.wait.count());
    wait = std::chrono::seconds(std::min(request.wait.value_or(most_wait), most_wait));
    hold = std::min<std::uint64_t>(request.hold.value_or(1), settings.hold);
    requests = hold + 1;
    ver = std::min(request.ver.value_or(our_version), our_version);
    polls = hold == 0 || wait.count() == 0;
    if (polls) inactivity = 2 * inactivity + polling;
    acks = request.ack == 1U;
    if (request.content && is_xml_type(*request.content)) content = *request.content;
}

BodyAttributes creation_attributes(const BoshTerms& terms, std::string_view sid,
                                   std::uint64_t rid) {
    auto const seconds = [](std::chrono::seconds time) { return std::to_string(time.count()); };
    BodyAttributes attributes{{"sid", std::string(sid)},
                              {"wait", seconds(terms.wait)},
                              {"requests", std::to_string(terms.requests)},
                              {"hold", std::to_string(terms.hold)},
                              {"inactivity", seconds(terms.inactivity)},
                              {"ver", std::to_string(terms.ver.major_number) + "." +
                                          std::to_string(terms.ver.minor_number)},
                              {"ack", std::to_string(rid)},
                              {"xmpp:restartlogic", "true"}};
    if (terms.polling.count() > 0) attributes.emplace_back("polling", seconds(terms.polling));
    if (terms.pause.count() > 0) attributes.emplace_back("maxpause", seconds(terms.pause));
    return attributes;
}

unsigned http_status(std::string_view condition, bool legacy) {
    if (!legacy) return 200;
    if (condition == "bad-request") return 400;
    if (condition == "policy-violation") return 403;
    if (condition == "item-not-found") return 404;
    return 200;
}

}  // namespace stanzagate::filters
