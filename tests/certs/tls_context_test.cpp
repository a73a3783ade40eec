#include "certs/tls_context.hpp"

#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "certs/server_tls.hpp"
#include "tests/certs/handshake.hpp"
#include "tests/certs/test_certificates.hpp"

namespace stanzagate::certs {
namespace {

class PartOfRecord : public ::testing::TestWithParam<int> {
protected:
    PartOfRecord() {
        config::Config config;
        config.hosts = {
            testing::host_with("example.org", testing::issue({.names = {"example.org"}}), folder_)};
        config::Diagnostics diagnostics;
        auto store = CertificateStore::load(config, diagnostics, testing::at(2030, 1, 1));
        server_.emplace(std::make_shared<const CertificateStore>(std::move(store.value())),
                        TicketKeys::generate());
        met_.emplace(testing::make_client({.version = GetParam()}), server_->accept(Door::direct));
        part_ = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(part_, -1);
    }
    // The record that `text` becomes.
    std::string sent(std::string_view text) {
        SSL_write(met_->client(), text.data(), static_cast<int>(text.size()));
        std::array<char, 1024> bytes{};
        const int size =
            BIO_read(SSL_get_wbio(met_->server()), bytes.data(), static_cast<int>(bytes.size()));
        return {bytes.data(), static_cast<std::size_t>(size)};
    }

    TemporaryFolder folder_;
    std::optional<ServerTls> server_;
    std::optional<testing::Conversation> met_;
    BIO* part_;  // what has arrived; the server's
};

TEST_P(PartOfRecord, IsHeldUntilTheRecordIsWholeAndRead) {
    SSL* const server = met_->server();
    ASSERT_TRUE(met_->connected()) << met_->server_error();
    const std::string record = sent("two");
    SSL_set0_rbio(server, part_);
    EXPECT_FALSE(holds_part_of_record(server));
    std::array<char, 8> read{};
    for (std::size_t i = 0; i + 1 < record.size(); ++i) {
        BIO_write(part_, &record[i], 1);
        EXPECT_LT(SSL_read(server, read.data(), 1), 0);
        EXPECT_TRUE(holds_part_of_record(server)) << i + 1;
    }
    BIO_write(part_, &record.back(), 1);
    EXPECT_EQ(SSL_read(server, read.data(), 1), 1);
    EXPECT_TRUE(holds_part_of_record(server));
    EXPECT_EQ(SSL_read(server, read.data(), read.size()), 2);
    EXPECT_FALSE(holds_part_of_record(server));
}

INSTANTIATE_TEST_SUITE_P(, PartOfRecord, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test) {
                             return test.param == TLS1_2_VERSION ? "tls12" : "tls13";
                         });

}  // namespace
}  // namespace stanzagate::certs
