#include "proxy/name_resolver.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace stanzagate::proxy {
namespace {

using boost::asio::ip::tcp;

std::vector<config::Endpoint> endpoints_of(const tcp::resolver::results_type& results) {
    std::vector<config::Endpoint> endpoints;
    for (auto const& result : results) {
        auto const address = result.endpoint().address();
        endpoints.push_back({address.is_v4() ? config::Address::from(address.to_v4().to_bytes())
                                             : config::Address::from(address.to_v6().to_bytes()),
                             result.endpoint().port()});
    }
    return endpoints;
}

}  // namespace

void NameResolver::resolve(const std::string& host, std::uint16_t port, Done done) {
    boost::asio::post(resolver_.get_executor(), [this, host, port, done = std::move(done)] {
        resolver_.async_resolve(
            host, std::to_string(port),
            [done](const boost::system::error_code& error, const auto& results) {
                if (error == boost::asio::error::operation_aborted) return;
                done(endpoints_of(results), error.message());
            });
    });
}

}  // namespace stanzagate::proxy
