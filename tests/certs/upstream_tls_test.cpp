#include "certs/upstream_tls.hpp"

#include <gmock/gmock.h>

#include "certs/server_tls.hpp"
#include "certs/tls_context.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

using config::UpstreamScheme;
using testing::Conversation;
using ::testing::ElementsAre;
using testing::issue;
using testing::Issued;

// The upstream here is a ServerTls with one certificate, which an authority has issued for
// xmpp.example and 192.0.2.1.
class UpstreamTlsTest : public ::testing::Test {
protected:
    UpstreamTlsTest() {
        host_.upstream.addresses = {{UpstreamScheme::tls, "192.0.2.1", 5223}};
        host_.upstream.ca = folder_.write("ca.pem", authority_.pem());
        serve(certificate_);
    }

    void serve(const Issued& issued) {
        config::Config config;
        config.hosts = {testing::host_with("*", issued, folder_)};
        config::Diagnostics diagnostics;
        auto store = CertificateStore::load(config, diagnostics, testing::at(2030, 1, 1));
        server_.emplace(std::make_shared<const CertificateStore>(std::move(store.value())),
                        TicketKeys::generate());
    }

    std::optional<UpstreamTls> load() {
        config::Config config;
        config.hosts = {host_};
        return UpstreamTls::load(config, diagnostics_);
    }

    Conversation talk(std::string_view stream_host, UpstreamScheme scheme = UpstreamScheme::tls) {
        const auto tls = load();
        return {tls.value().connect(host_.upstream, scheme, stream_host),
                server_->accept(Door::direct)};
    }

    TemporaryFolder folder_;
    Issued authority_ = issue({.authority = true, .subject = "authority"});
    Issued certificate_ = issue({.names = {"xmpp.example", "192.0.2.1"}}, &authority_);
    config::Host host_;
    config::Diagnostics diagnostics_;
    std::optional<ServerTls> server_;
};

TEST_F(UpstreamTlsTest, TrustsTheAuthority) {
    const auto met = talk("xmpp.example");
    ASSERT_TRUE(met.connected()) << met.client_error();
    EXPECT_EQ(verify_error(met.client()), "");
    EXPECT_EQ(server_name(met.server()), "xmpp.example");
    EXPECT_EQ(alpn(met.client()), "xmpp-client");
    EXPECT_EQ(SSL_version(met.client()), TLS1_3_VERSION);
}

// What a connection keeps for life is not made anew by a reload that trusts the same.
TEST_F(UpstreamTlsTest, AReloadSharesWhatTheSameFileHolds) {
    config::Config config;
    config.hosts = {host_};
    const auto context = [this](const UpstreamTls& tls) {
        return SSL_get_SSL_CTX(
            tls.connect(host_.upstream, UpstreamScheme::tls, "xmpp.example").get());
    };
    const auto before = UpstreamTls::load(config, diagnostics_).value();
    const auto same = UpstreamTls::load(config, diagnostics_, &before).value();
    EXPECT_EQ(context(same), context(before));
    folder_.write("ca.pem", issue({.authority = true, .subject = "another"}).pem());
    const auto other = UpstreamTls::load(config, diagnostics_, &before).value();
    EXPECT_NE(context(other), context(before));
    const Conversation met(other.connect(host_.upstream, UpstreamScheme::tls, "xmpp.example"),
                           server_->accept(Door::direct));
    EXPECT_FALSE(met.connected());
}

TEST_F(UpstreamTlsTest, AFileThatIsBrokenIsTrustedAsItWas) {
    config::Config config;
    config.hosts = {host_, host_, host_};
    config.hosts[1].upstream.ca = folder_.write("other.pem", authority_.pem());
    config.hosts[2].upstream.ca.reset();
    const auto before = UpstreamTls::load(config, diagnostics_).value();
    EXPECT_THAT(before.files(),
                ElementsAre(folder_.path() / "ca.pem", folder_.path() / "other.pem"));
    EXPECT_THAT(before.reload(config, diagnostics_).changed_since(before), ::testing::IsEmpty());
    EXPECT_FALSE(diagnostics_.has_errors());

    folder_.write("ca.pem", "nothing");
    folder_.write("other.pem", issue({.authority = true, .subject = "another"}).pem());
    const auto after = before.reload(config, diagnostics_);
    EXPECT_EQ(diagnostics_.all().size(), 1U);
    EXPECT_THAT(after.changed_since(before), ElementsAre(folder_.path() / "other.pem"));
    const auto meets = [&](const config::Host& host) {
        return Conversation(after.connect(host.upstream, UpstreamScheme::tls, "xmpp.example"),
                            server_->accept(Door::direct))
            .connected();
    };
    EXPECT_TRUE(meets(config.hosts[0]));
    EXPECT_FALSE(meets(config.hosts[1]));
}

TEST_F(UpstreamTlsTest, OffersNoAlpnUnderStarttls) {
    const auto met = talk("xmpp.example", UpstreamScheme::starttls);
    ASSERT_TRUE(met.connected()) << met.client_error();
    EXPECT_EQ(alpn(met.client()), "");
    EXPECT_EQ(server_name(met.server()), "xmpp.example");
}

TEST_F(UpstreamTlsTest, RefusesAnotherName) {
    const auto met = talk("example.org");
    EXPECT_FALSE(met.connected());
    EXPECT_EQ(verify_error(met.client()), "hostname mismatch");
    EXPECT_EQ(met.alert_to_server(), SSL_AD_BAD_CERTIFICATE);
}

TEST_F(UpstreamTlsTest, TheConfiguredNameReplacesTheStreamsHost) {
    host_.upstream.name = "xmpp.example";
    const auto met = talk("example.org");
    ASSERT_TRUE(met.connected()) << met.client_error();
    EXPECT_EQ(server_name(met.server()), "xmpp.example");
}

TEST_F(UpstreamTlsTest, AnAddressIsComparedAndNotSent) {
    host_.upstream.name = "192.0.2.1";
    const auto met = talk("xmpp.example");
    ASSERT_TRUE(met.connected()) << met.client_error();
    EXPECT_EQ(server_name(met.server()), "");
}

TEST_F(UpstreamTlsTest, RefusesAnotherAddress) {
    host_.upstream.name = "192.0.2.2";
    const auto met = talk("xmpp.example");
    EXPECT_FALSE(met.connected());
    EXPECT_EQ(verify_error(met.client()), "IP address mismatch");
}

TEST_F(UpstreamTlsTest, RefusesAnotherAuthority) {
    host_.upstream.ca = folder_.write("ca.pem", issue({.authority = true}).pem());
    const auto met = talk("xmpp.example");
    EXPECT_FALSE(met.connected());
    EXPECT_EQ(verify_error(met.client()), "unable to get local issuer certificate");
}

TEST_F(UpstreamTlsTest, TheSystemDoesNotKnowTheAuthority) {
    host_.upstream.ca.reset();
    EXPECT_FALSE(talk("xmpp.example").connected());
}

TEST_F(UpstreamTlsTest, RefusesAnExpiredCertificate) {
    serve(issue({.names = {"xmpp.example"}, .until = testing::at(2021, 1, 1)}, &authority_));
    const auto met = talk("xmpp.example");
    EXPECT_FALSE(met.connected());
    EXPECT_EQ(verify_error(met.client()), "certificate has expired");
}

TEST_F(UpstreamTlsTest, TheSubjectIsNoName) {
    serve(issue({.subject = "xmpp.example"}, &authority_));
    EXPECT_FALSE(talk("xmpp.example").connected());
}

TEST_F(UpstreamTlsTest, TrustsTheServersOwnCertificateWhereItIsListed) {
    host_.upstream.ca = folder_.write("ca.pem", certificate_.pem());
    EXPECT_TRUE(talk("xmpp.example").connected());
}

TEST_F(UpstreamTlsTest, TrustsAllOfTheFile) {
    host_.upstream.ca = folder_.write(
        "ca.pem", issue({.authority = true, .subject = "another"}).pem() + authority_.pem());
    EXPECT_TRUE(talk("xmpp.example").connected());
}

TEST_F(UpstreamTlsTest, WithoutVerificationAnythingGoes) {
    host_.upstream.verify = false;
    serve(issue({.names = {"nobody.example"}, .until = testing::at(2021, 1, 1)}));
    const auto met = talk("xmpp.example");
    ASSERT_TRUE(met.connected()) << met.client_error();
    EXPECT_EQ(server_name(met.server()), "xmpp.example");
}

TEST_F(UpstreamTlsTest, NamesNoCertificateCanHaveAreRefused) {
    const auto tls = load().value();
    const auto connect = [&](std::string_view name) {
        return tls.connect(host_.upstream, UpstreamScheme::tls, name);
    };
    const std::string long_name(256, 'a');
    EXPECT_EQ(connect(""), nullptr);
    EXPECT_EQ(connect(long_name), nullptr);
    EXPECT_EQ(connect(std::string_view("xmpp.example\0", 13)), nullptr);
    EXPECT_EQ(connect(std::string_view("xmpp.example\0.evil", 18)), nullptr);

    host_.upstream.verify = false;  // then they are merely not sent
    const auto met = talk("");
    EXPECT_TRUE(met.connected());
    EXPECT_TRUE(talk(long_name).connected());
    EXPECT_EQ(server_name(met.server()), "");
}

TEST_F(UpstreamTlsTest, ANameThatIsNotAsciiIsNotSent) {
    host_.upstream.verify = false;
    const auto met = talk("b\xc3\xbc.example");
    ASSERT_TRUE(met.connected());
    EXPECT_EQ(server_name(met.server()), "");
}

TEST_F(UpstreamTlsTest, NeverHasAClientCertificate) {
    const auto tls = load().value();
    SslPtr server = server_->accept(Door::direct);
    SSL_set_verify(server.get(), SSL_VERIFY_PEER, nullptr);  // asks for one
    const Conversation met(tls.connect(host_.upstream, UpstreamScheme::tls, "xmpp.example"),
                           std::move(server));
    ASSERT_TRUE(met.connected()) << met.client_error() << met.server_error();
    EXPECT_EQ(SSL_get0_peer_certificate(met.server()), nullptr);
}

TEST_F(UpstreamTlsTest, TellsOfAMissingFileOnce) {
    host_.upstream.ca = "/nonexistent/ca.pem";
    host_.upstream.ca_where = {"gate.toml", 9, 1};
    config::Config config;
    config.hosts = {host_, host_};
    config.hosts[1].upstream.ca_where = {"gate.toml", 19, 1};
    EXPECT_FALSE(UpstreamTls::load(config, diagnostics_));
    ASSERT_EQ(diagnostics_.all().size(), 1U);
    EXPECT_EQ(diagnostics_.all().front().to_string(),
              "gate.toml:9:1: error: host.upstream.ca: cannot read \"/nonexistent/ca.pem\": "
              "No such file or directory");
}

TEST_F(UpstreamTlsTest, TellsOfAFileWithoutACertificate) {
    host_.upstream.ca = folder_.write("ca.pem", authority_.key_pem());
    host_.upstream.ca_where = {"gate.toml", 9, 1};
    EXPECT_FALSE(load());
    ASSERT_EQ(diagnostics_.all().size(), 1U);
    EXPECT_THAT(
        diagnostics_.all().front().to_string(),
        ::testing::StartsWith("gate.toml:9:1: error: host.upstream.ca: no certificate in "));
}

TEST_F(UpstreamTlsTest, APlainUpstreamNeedsNothing) {
    host_.upstream.addresses = {{UpstreamScheme::tcp, "192.0.2.1", 5222}};
    host_.upstream.ca = "/nonexistent/ca.pem";
    const auto tls = load();
    ASSERT_TRUE(tls);
    EXPECT_EQ(tls->connect(host_.upstream, UpstreamScheme::tls, "xmpp.example"), nullptr);
}

}  // namespace
}  // namespace stanzagate::certs
