#include <gtest/gtest.h>

#include <array>
#include <string>

#include "certs/server_tls.hpp"
#include "certs/tls_context.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

// Session tickets across workers, hosts, doors, reloads and keys.
namespace stanzagate::certs {
namespace {

using testing::Conversation;
using testing::make_client;
using testing::ticket_key_line;

std::string ticket_of(const SSL_SESSION* session) {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session, &bytes, &size);
    return {bytes, bytes + size};
}

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

// The ticket is replaced by one of the new key.
TEST_P(TicketTest, TheKeyBeforeStillOpens) {
    const auto first = talk(one_);
    one_.set_ticket_keys(keys_.rotated());
    const auto second = talk(one_, first.client_session().get());
    ASSERT_TRUE(second.connected());
    EXPECT_TRUE(is_resumed(second.server()));
    one_.set_ticket_keys(keys_.rotated());  // of the two before, the first alone is known
    EXPECT_TRUE(is_resumed(talk(one_, first.client_session().get()).server()));
    EXPECT_FALSE(is_resumed(talk(one_, second.client_session().get()).server()));
}

TEST_P(TicketTest, TheKeyBeforeTheLastOneDoesNot) {
    const auto first = talk(one_);
    one_.set_ticket_keys(keys_.rotated().rotated());
    EXPECT_FALSE(is_resumed(talk(one_, first.client_session().get()).server()));
}

// Two machines, of which one has the next file already: as each is rotated after the other.
TEST_P(TicketTest, MachinesResumeEachOthersWhileTheirFileIsReplaced) {
    const TemporaryFolder folder;
    const std::array<std::string, 4> lines{ticket_key_line('a'), ticket_key_line('b'),
                                           ticket_key_line('c'), ticket_key_line('d')};
    const auto load = [&](std::string_view text) {
        config::Diagnostics diagnostics;
        return TicketKeys::load(folder.write("keys", text), {}, diagnostics).value();
    };
    const auto before = load(lines[0] + lines[1] + lines[2]);
    const auto after = load(lines[1] + lines[2] + lines[3]);
    ServerTls other(store_, after);
    one_.set_ticket_keys(before);
    EXPECT_TRUE(is_resumed(talk(other, talk(one_).client_session().get()).server()));
    EXPECT_TRUE(is_resumed(talk(one_, talk(other).client_session().get()).server()));
    ServerTls stranger(store_, load(ticket_key_line('z')));
    EXPECT_FALSE(is_resumed(talk(stranger, talk(other).client_session().get()).server()));
}

// With TLS 1.3 a client that resumes is given a new one, so that it need not show one twice.
TEST_P(TicketTest, IsReplacedWhereEachIsToBeUsedOnce) {
    const auto first = talk(one_);
    const auto second = talk(one_, first.client_session().get());
    ASSERT_TRUE(is_resumed(second.server()));
    const bool is_same =
        ticket_of(first.client_session().get()) == ticket_of(second.client_session().get());
    EXPECT_EQ(is_same, GetParam() == TLS1_2_VERSION);
}

TEST_P(TicketTest, IsSealedAnewEachTime) {
    const auto one = ticket_of(talk(one_).client_session().get());
    const auto other = ticket_of(talk(one_).client_session().get());
    ASSERT_GT(one.size(), 64U);
    EXPECT_EQ(one.substr(0, 16), other.substr(0, 16));
    EXPECT_NE(one.substr(16, 16), other.substr(16, 16));
}

INSTANTIATE_TEST_SUITE_P(, TicketTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test) {
                             return test.param == TLS1_2_VERSION ? "tls12" : "tls13";
                         });

}  // namespace
}  // namespace stanzagate::certs
