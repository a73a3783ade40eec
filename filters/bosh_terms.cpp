#include "filters/bosh_terms.hpp"

#include <algorithm>

namespace stanzagate::filters {
namespace {

constexpr BoshVersion our_version{1, 11};

// A media type as it may stand in a header: what a client asks for must not become another header.
bool is_media_type(std::string_view text) {
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/;= \"";
    return !text.empty() && text.size() <= 100 && text.find('/') != std::string_view::npos &&
           text.find_first_not_of(allowed) == std::string_view::npos;
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
    if (request.content && is_media_type(*request.content)) content = *request.content;
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
