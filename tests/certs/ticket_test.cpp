#include <gtest/gtest.h>

#include "certs/server_tls.hpp"
#include "certs/tls_context.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

// Session tickets across workers, hosts, doors, reloads and keys.
namespace stanzagate::certs {
namespace {

using testing::Conversation;
using testing::make_client;

class TicketTest : public ::testing::TestWithParam<int> {
protected:
    static std::shared_ptr<const CertificateStore> make_store() {
        config::Config config;
        for (const char* name : {"example.org", "other.example"}) {
            config::Host host;
            host.name = testing::pattern(name);
            host.self_signed = true;
            config.hosts.push_back(std::move(host));
        }
        config::Diagnostics diagnostics;
        return std::make_shared<const CertificateStore>(
            CertificateStore::load(config, diagnostics, std::chrono::system_clock::now()).value());
    }

    Conversation talk(ServerTls& tls, SSL_SESSION* session = nullptr,
                      Door door = Door::direct) const {
        return {make_client({.server_name = "other.example",
                             .alpn = "xmpp-client",
                             .version = GetParam(),
                             .session = session}),
                tls.accept(door)};
    }

    std::shared_ptr<const CertificateStore> store_ = make_store();
    TicketKeys keys_ = TicketKeys::generate();
    ServerTls one_{store_, keys_};
};

TEST_P(TicketTest, ResumesOnTheSameWorker) {
    const auto first = talk(one_);
    ASSERT_TRUE(first.connected());
    EXPECT_FALSE(is_resumed(first.server()));
    const auto second = talk(one_, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_TRUE(is_resumed(second.server()));
    EXPECT_TRUE(is_resumed(second.client()));
    EXPECT_EQ(server_name(second.server()), "other.example");
    EXPECT_EQ(alpn(second.server()), "xmpp-client");
    const auto third = talk(one_, second.client_session().get());
    EXPECT_TRUE(is_resumed(third.server()));
}

TEST_P(TicketTest, ResumesOnAnotherWorker) {
    ServerTls other(store_, keys_);
    const auto first = talk(one_);
    const auto second = talk(other, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_TRUE(is_resumed(second.server()));
}

TEST_P(TicketTest, ResumesAtAnotherDoor) {
    const auto first = talk(one_, nullptr, Door::starttls);
    const auto second = talk(one_, first.client_session().get(), Door::direct);
    ASSERT_TRUE(second.connected());
    EXPECT_TRUE(is_resumed(second.server()));
}

TEST_P(TicketTest, ResumesAfterAReload) {
    const auto first = talk(one_);
    one_.use(make_store());
    const auto second = talk(one_, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_TRUE(is_resumed(second.server()));
}

TEST_P(TicketTest, OtherKeysMakeAFullHandshake) {
    ServerTls other(store_, TicketKeys::generate());
    const auto first = talk(one_);
    const auto second = talk(other, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_FALSE(is_resumed(second.server()));
}

TEST_P(TicketTest, NewKeysMakeOldTicketsVoid) {
    const auto first = talk(one_);
    one_.set_ticket_keys(TicketKeys::generate());
    const auto second = talk(one_, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_FALSE(is_resumed(second.server()));
    const auto third = talk(one_, second.client_session().get());
    EXPECT_TRUE(is_resumed(third.server()));
}

INSTANTIATE_TEST_SUITE_P(, TicketTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test) {
                             return test.param == TLS1_2_VERSION ? "tls12" : "tls13";
                         });

}  // namespace
}  // namespace stanzagate::certs
