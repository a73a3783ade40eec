#include "proxy/list_lookups.hpp"

#include <boost/asio/post.hpp>

namespace stanzagate::proxy {

ListLookups::ListLookups(boost::asio::io_context& background, const Log& log,
                         DnsListSettings settings)
    : background_(background), lists_(background, log, std::move(settings)) {}

void ListLookups::ask(EventLoop& loop, std::vector<std::string> zones,
                      const config::Address& address, Done done) {
    boost::asio::post(background_, [this, &loop, zones = std::move(zones), address,
                                    done = std::move(done)] { begin(loop, zones, address, done); });
}

void ListLookups::begin(EventLoop& loop, std::vector<std::string> zones,
                        const config::Address& address, Done done) {
    auto const number = ++last_;
    // The query is kept where its answer finds it; assigning it cannot come too late, since it is
    // never answered from within ask().
    waiting_[number] =
        lists_.ask(zones, address, [this, &loop, number, zones, address, done = std::move(done)] {
            Answers answers;
            for (auto const& zone : zones)
                answers.emplace_back(zone, lists_.known(zone, address).value_or(false));
            loop.post([answers = std::move(answers), done] { done(answers); });
            boost::asio::post(background_, [this, number] { waiting_.erase(number); });
        });
}

}  // namespace stanzagate::proxy
