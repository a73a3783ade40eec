#include "certs/peer_names.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "certs/server_tls.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names_shown_by(const std::vector<std::string>& names) {
    TemporaryFolder const folder;
    config::Config config;
    config.hosts = {testing::host_with("*", testing::issue({.names = names}), folder)};
    config::Diagnostics diagnostics;
    auto store = CertificateStore::load(config, diagnostics, testing::at(2030, 1, 1));
    ServerTls server(std::make_shared<const CertificateStore>(std::move(store.value())),
                     TicketKeys::generate());
    testing::Conversation const met(testing::make_client({}), server.accept(Door::direct));
    return peer_names(met.client(), 3);
}

TEST(PeerNames, AreThoseOfTheCertificate) {
    EXPECT_THAT(names_shown_by({"a.example", "192.0.2.1", "*.b.example"}),
                ElementsAre("a.example", "*.b.example"));
    EXPECT_THAT(names_shown_by({"a.example", "b.example", "c.example", "d.example"}),
                ElementsAre("a.example", "b.example", "c.example"));
    EXPECT_THAT(names_shown_by({"192.0.2.1"}), IsEmpty());
}

TEST(PeerNames, AreNoneBeforeTheHandshake) {
    EXPECT_THAT(peer_names(testing::make_client({}).get()), IsEmpty());
}

}  // namespace
}  // namespace stanzagate::certs
