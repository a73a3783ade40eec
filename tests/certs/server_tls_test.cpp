#include "certs/server_tls.hpp"

#include <gmock/gmock.h>

#include "certs/tls_context.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using testing::ClientSettings;
using testing::Conversation;
using testing::issue;
using testing::Issued;
using testing::KeyKind;

// Hosts in this order: example.org (P-256), *.example.net (RSA), other.example (P-256, with a
// chain).
class ServerTlsTest : public ::testing::Test {
protected:
    ServerTlsTest() {
        config::Config config;
        config.hosts = {testing::host_with("example.org", first_, folder_),
                        testing::host_with("*.example.net", wildcard_, folder_),
                        testing::host_with("other.example", other_, folder_)};
        folder_.write("other.example.pem", other_.pem() + authority_.pem());
        store_ = load(config);
        tls_.emplace(store_, keys_);
    }

    static std::shared_ptr<const CertificateStore> load(const config::Config& config) {
        config::Diagnostics diagnostics;
        auto store = CertificateStore::load(config, diagnostics, testing::at(2030, 1, 1));
        return std::make_shared<const CertificateStore>(std::move(store.value()));
    }

    Conversation talk(const ClientSettings& client, Door door = Door::direct,
                      std::string_view fallback = {}) {
        return {testing::make_client(client), tls_->accept(door, fallback)};
    }

    TemporaryFolder folder_;
    Issued authority_ = issue({.authority = true, .subject = "authority"});
    Issued first_ = issue({.names = {"example.org"}});
    Issued wildcard_ = issue({.names = {"*.example.net"}, .key = KeyKind::rsa2048});
    Issued other_ = issue({.names = {"other.example"}}, &authority_);
    TicketKeys keys_ = TicketKeys::generate();
    std::shared_ptr<const CertificateStore> store_;
    std::optional<ServerTls> tls_;
};

struct Choice {
    const char* name;
    const char* server_name;
    const char* fallback;
    const char* shown;  // whose certificate
};

class ServerTlsChoice : public ServerTlsTest, public ::testing::WithParamInterface<Choice> {
protected:
    const X509* expected() const {
        const std::string_view name = GetParam().shown;
        const Issued& issued = name == "example.org"     ? first_
                               : name == "other.example" ? other_
                                                         : wildcard_;
        return issued.certificate.get();
    }
};

TEST_P(ServerTlsChoice, OfTheCertificate) {
    for (const Door door : {Door::starttls, Door::direct, Door::https, Door::shared}) {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            const auto met = talk({.server_name = GetParam().server_name, .version = version}, door,
                                  GetParam().fallback);
            ASSERT_TRUE(met.connected()) << met.server_error() << met.client_error();
            EXPECT_EQ(SSL_version(met.server()), version);
            EXPECT_TRUE(met.client_was_shown(expected()));
            EXPECT_EQ(server_name(met.server()), GetParam().server_name);
            EXPECT_FALSE(is_resumed(met.server()));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    , ServerTlsChoice,
    ::testing::Values(
        Choice{"sni_exact", "other.example", "", "other.example"},
        Choice{"sni_first", "example.org", "", "example.org"},
        Choice{"sni_case", "Other.Example", "", "other.example"},
        Choice{"sni_wildcard_of_another_key_type", "chat.example.net", "", "*.example.net"},
        Choice{"sni_unknown", "nobody.example", "", "example.org"},
        Choice{"none", "", "", "example.org"},
        Choice{"fallback", "", "other.example", "other.example"},
        Choice{"fallback_wildcard", "", "chat.example.net", "*.example.net"},
        Choice{"fallback_unknown", "", "nobody.example", "example.org"},
        Choice{"fallback_where_sni_is_unknown", "nobody.example", "other.example", "other.example"},
        Choice{"sni_before_fallback", "other.example", "chat.example.net", "other.example"},
        Choice{"sni_first_before_fallback", "example.org", "chat.example.net", "example.org"}),
    [](const auto& test) { return test.param.name; });

TEST_F(ServerTlsTest, SendsTheChainOfTheFile) {
    for (const auto* const name : {"other.example", "example.org"}) {
        const auto met = talk({.server_name = name});
        ASSERT_TRUE(met.connected());
        const int expected = std::string_view(name) == "other.example" ? 2 : 1;
        EXPECT_EQ(sk_X509_num(SSL_get_peer_cert_chain(met.client())), expected) << name;
    }
}

struct Offer {
    const char* name;
    Door door;
    const char* offered;
    const char* agreed;
    int alert;
};

class ServerTlsAlpn : public ServerTlsTest, public ::testing::WithParamInterface<Offer> {};

TEST_P(ServerTlsAlpn, IsAnswered) {
    for (const auto* const name : {"example.org", "other.example"}) {
        const auto met = talk({.server_name = name, .alpn = GetParam().offered}, GetParam().door);
        EXPECT_EQ(met.connected(), GetParam().alert == 0);
        EXPECT_EQ(met.alert_to_client(), GetParam().alert);
        EXPECT_EQ(alpn(met.server()), GetParam().agreed);
    }
}

INSTANTIATE_TEST_SUITE_P(
    , ServerTlsAlpn,
    ::testing::Values(
        Offer{"direct_fits", Door::direct, "xmpp-client", "xmpp-client", 0},
        Offer{"direct_fits_later", Door::direct, "h2,xmpp-client", "xmpp-client", 0},
        Offer{"direct_none", Door::direct, "", "", 0},
        Offer{"direct_other", Door::direct, "h2,xmpp-server", "", TLS1_AD_NO_APPLICATION_PROTOCOL},
        Offer{"direct_prefix", Door::direct, "xmpp-clien,xmpp-clientx", "",
              TLS1_AD_NO_APPLICATION_PROTOCOL},
        Offer{"direct_http", Door::direct, "http/1.1", "", TLS1_AD_NO_APPLICATION_PROTOCOL},
        Offer{"https_fits", Door::https, "h2,http/1.1", "http/1.1", 0},
        Offer{"https_fits_beside_xmpp", Door::https, "xmpp-client,http/1.1", "http/1.1", 0},
        Offer{"https_none", Door::https, "", "", 0},
        Offer{"https_other", Door::https, "h2,http/1.0,xmpp-client", "",
              TLS1_AD_NO_APPLICATION_PROTOCOL},
        Offer{"shared_xmpp", Door::shared, "xmpp-client", "xmpp-client", 0},
        Offer{"shared_http", Door::shared, "h2,http/1.1", "http/1.1", 0},
        Offer{"shared_both", Door::shared, "http/1.1,xmpp-client", "xmpp-client", 0},
        Offer{"shared_none", Door::shared, "", "", 0},
        Offer{"shared_other", Door::shared, "h2,xmpp-server", "", TLS1_AD_NO_APPLICATION_PROTOCOL},
        Offer{"starttls_http", Door::starttls, "http/1.1", "", 0},
        Offer{"starttls_fits", Door::starttls, "xmpp-client", "xmpp-client", 0},
        Offer{"starttls_none", Door::starttls, "", "", 0},
        Offer{"starttls_other", Door::starttls, "h2", "", 0}),
    [](const auto& test) { return test.param.name; });

TEST_F(ServerTlsTest, TheDoorOfAListener) {
    const auto at = [](config::TlsMode tls, const config::Served& served) {
        config::Listen listen;
        listen.tls = tls;
        listen.served = served;
        return door_of(listen);
    };
    using enum config::TlsMode;
    EXPECT_EQ(at(starttls, {}), Door::starttls);
    EXPECT_EQ(at(direct, {}), Door::direct);
    EXPECT_EQ(at(direct, {.xmpp = false, .websocket = true}), Door::https);
    EXPECT_EQ(at(direct, {.xmpp = false, .bosh = true}), Door::https);
    EXPECT_EQ(at(direct, {.xmpp = true, .websocket = true}), Door::shared);
    EXPECT_EQ(at(direct, {.xmpp = true, .bosh = true}), Door::shared);
}

TEST_F(ServerTlsTest, RefusesOldVersions) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        const auto met = talk({.version = version});
        EXPECT_FALSE(met.connected());
        EXPECT_EQ(met.alert_to_client(), SSL_AD_PROTOCOL_VERSION);
    }
}

TEST_F(ServerTlsTest, RefusesSuitesThatAreNotForwardSecretOrNotAead) {
    for (const auto* const suites : {"AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256",
                                     "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA"}) {
        const auto met = talk(
            {.server_name = "chat.example.net", .version = TLS1_2_VERSION, .suites_tls12 = suites});
        EXPECT_FALSE(met.connected()) << suites;
        EXPECT_EQ(met.alert_to_client(), SSL_AD_HANDSHAKE_FAILURE) << suites;
    }
}

TEST_F(ServerTlsTest, PrefersTheCheapSuiteAndTheClientsChaCha) {
    const auto usual = talk({});
    EXPECT_STREQ(SSL_get_cipher(usual.client()), "TLS_AES_128_GCM_SHA256");
    const auto old = talk({.version = TLS1_2_VERSION,
                           .suites_tls12 = "ECDHE-ECDSA-AES256-GCM-SHA384:"
                                           "ECDHE-ECDSA-AES128-GCM-SHA256"});
    EXPECT_STREQ(SSL_get_cipher(old.client()), "ECDHE-ECDSA-AES128-GCM-SHA256");
    const auto without_aes_instructions =
        talk({.version = TLS1_2_VERSION,
              .suites_tls12 = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"});
    EXPECT_STREQ(SSL_get_cipher(without_aes_instructions.client()),
                 "ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_F(ServerTlsTest, UsesX25519) {
    const auto met = talk({});
    EXPECT_EQ(SSL_get_negotiated_group(met.client()), NID_X25519);
}

TEST_F(ServerTlsTest, RefusesRenegotiation) {
    const auto met = talk({.version = TLS1_2_VERSION});
    ASSERT_TRUE(met.connected());
    ASSERT_EQ(met.send_to_server("before"), "before");
    SSL_renegotiate(met.client());
    SSL_do_handshake(met.client());
    char nothing = 0;
    SSL_read(met.server(), &nothing, 1);
    EXPECT_NE(SSL_do_handshake(met.client()), 1);
    EXPECT_THAT(drain_openssl_errors(), ::testing::HasSubstr("no renegotiation"));
}

TEST_F(ServerTlsTest, KeepsNoSessionsOfItsOwn) {
    const auto met = talk({});
    EXPECT_EQ(SSL_CTX_get_session_cache_mode(SSL_get_SSL_CTX(met.server())), SSL_SESS_CACHE_OFF);
    EXPECT_EQ(SSL_CTX_sess_number(SSL_get_SSL_CTX(met.server())), 0);
    EXPECT_EQ(SSL_get_num_tickets(met.server()), 1U);
    EXPECT_EQ(SSL_get_max_early_data(met.server()), 0U);
}

TEST_F(ServerTlsTest, CarriesDataBothWays) {
    const auto met = talk({.server_name = "other.example", .alpn = "xmpp-client"});
    ASSERT_TRUE(met.connected());
    EXPECT_EQ(met.send_to_server("<stream:stream>"), "<stream:stream>");
    EXPECT_EQ(met.send_to_client("<stream:features/>"), "<stream:features/>");
}

TEST_F(ServerTlsTest, AReloadServesNewCertificates) {
    const Issued renewed = issue({.names = {"example.org"}});
    const Issued added = issue({.names = {"added.example"}});
    config::Config config;
    config.hosts = {testing::host_with("example.org", renewed, folder_),
                    testing::host_with("added.example", added, folder_)};

    const auto before = talk({});
    SslPtr waiting = tls_->accept(Door::direct);  // its handshake begins after the reload
    SslPtr waiting_fallback = tls_->accept(Door::starttls, "other.example");
    tls_->use(load(config));
    store_.reset();

    EXPECT_TRUE(before.client_was_shown(first_.certificate.get()));
    EXPECT_EQ(before.send_to_server("still here"), "still here");
    EXPECT_TRUE(talk({}).client_was_shown(renewed.certificate.get()));
    EXPECT_TRUE(talk({.server_name = "added.example"}).client_was_shown(added.certificate.get()));
    const Conversation named(testing::make_client({.server_name = "added.example"}),
                             std::move(waiting));
    EXPECT_TRUE(named.client_was_shown(added.certificate.get()));
    const Conversation unnamed(testing::make_client({}), std::move(waiting_fallback));
    EXPECT_TRUE(unnamed.client_was_shown(other_.certificate.get()));
}

// What a connection keeps for life is not made anew by a reload that has the same to show.
TEST_F(ServerTlsTest, AReloadKeepsTheContextsOfTheSameFirstHost) {
    const auto context = [this](Door door) { return SSL_get_SSL_CTX(tls_->accept(door).get()); };
    const SslPtr direct = tls_->accept(Door::direct);
    const SslPtr starttls = tls_->accept(Door::starttls);
    config::Config config;
    config.hosts = {testing::host_with("example.org", first_, folder_),
                    testing::host_with("added.example", other_, folder_)};
    config::Diagnostics diagnostics;
    const auto at = testing::at(2030, 1, 1);
    const auto same = CertificateStore::load(config, diagnostics, at, store_.get()).value();
    tls_->use(std::make_shared<const CertificateStore>(same));
    EXPECT_EQ(context(Door::direct), SSL_get_SSL_CTX(direct.get()));
    EXPECT_EQ(context(Door::starttls), SSL_get_SSL_CTX(starttls.get()));
    EXPECT_TRUE(talk({.server_name = "added.example"}).client_was_shown(other_.certificate.get()));

    testing::host_with("example.org", issue({.names = {"example.org"}}), folder_);
    const auto renewed = CertificateStore::load(config, diagnostics, at, &same).value();
    tls_->use(std::make_shared<const CertificateStore>(renewed));
    EXPECT_NE(context(Door::direct), SSL_get_SSL_CTX(direct.get()));
    EXPECT_NE(context(Door::starttls), SSL_get_SSL_CTX(starttls.get()));
}

// example.org has both kinds, other.example the RSA one alone.
class ServerTlsPair : public ServerTlsTest {
protected:
    ServerTlsPair() {
        config::Config config;
        config.hosts = {testing::host_with("example.org", first_, folder_),
                        testing::host_with("other.example", rsa_, folder_)};
        auto& pair = config.hosts.front().certificates;
        pair.push_back(config.hosts.back().certificates.front());
        tls_->use(load(config));
    }

    Issued rsa_ = issue({.names = {"example.org", "other.example"}, .key = KeyKind::rsa2048});
};

TEST_F(ServerTlsPair, EachClientIsShownTheKindItCanCheck) {
    for (const auto* const name : {"example.org", ""}) {
        for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            for (const std::string_view fallback : {"", "example.org"}) {
                ClientSettings client{.server_name = name, .version = version};
                const auto both = talk(client, Door::direct, fallback);
                ASSERT_TRUE(both.connected()) << both.server_error();
                EXPECT_TRUE(both.client_was_shown(first_.certificate.get()));
                client.signatures = "ECDSA+SHA256";
                client.suites_tls12 = "ECDHE-ECDSA-AES128-GCM-SHA256";
                const auto ecdsa = talk(client, Door::direct, fallback);
                ASSERT_TRUE(ecdsa.connected()) << ecdsa.server_error();
                EXPECT_TRUE(ecdsa.client_was_shown(first_.certificate.get()));
                client.signatures = "RSA-PSS+SHA256";
                client.suites_tls12 = "ECDHE-RSA-AES128-GCM-SHA256";
                const auto rsa = talk(client, Door::direct, fallback);
                ASSERT_TRUE(rsa.connected()) << rsa.server_error();
                EXPECT_TRUE(rsa.client_was_shown(rsa_.certificate.get()));
            }
        }
    }
}

// The first host's pair is on the connection when another host's one certificate takes its place.
TEST_F(ServerTlsPair, OneOfAnotherHostIsShownAlone) {
    const auto met = talk({.server_name = "other.example"});
    ASSERT_TRUE(met.connected());
    EXPECT_TRUE(met.client_was_shown(rsa_.certificate.get()));
    const auto ecdsa = talk({.server_name = "other.example", .signatures = "ECDSA+SHA256"});
    EXPECT_FALSE(ecdsa.connected());
    // And the pair in the place of that one.
    const auto back = talk({.server_name = "example.org"}, Door::starttls, "other.example");
    EXPECT_TRUE(back.client_was_shown(first_.certificate.get()));
}

TEST_F(ServerTlsTest, AcceptsNobodyWithoutHosts) {
    tls_->use(load(config::Config{}));
    EXPECT_EQ(tls_->accept(Door::direct), nullptr);
    EXPECT_EQ(tls_->accept(Door::starttls, "example.org"), nullptr);
}

}  // namespace
}  // namespace stanzagate::certs
