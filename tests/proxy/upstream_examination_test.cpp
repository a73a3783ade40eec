#include "proxy/upstream_examination.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "tests/proxy/test_snapshot.hpp"
#include "tests/proxy/visits.hpp"

namespace stanzagate::proxy {
namespace {

using config::ProxyHeader;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::welcome;

// "tcp v2 192.0.2.1", and "unverified" where the certificate is not looked at.
std::string text_of(const VisitPlan& plan) {
    auto text = plan.address.to_string().substr(0, plan.address.to_string().find(':'));
    text += plan.header == ProxyHeader::none ? " none"
            : plan.header == ProxyHeader::v1 ? " v1"
                                             : " v2";
    if (plan.header != ProxyHeader::none) text += ' ' + plan.source.address.to_string();
    return text + (plan.verify ? "" : " unverified");
}

std::vector<std::string> visits(const std::string& upstream, const MakeVisit& server,
                                const std::string& registration = {}) {
    std::vector<std::string> made;
    auto const snapshot = testing::gate_before(upstream, registration);
    testing::examination(*snapshot, [&](const VisitPlan& plan) {
        made.push_back(text_of(plan));
        EXPECT_EQ(plan.name, "example.org");
        return server(plan);
    });
    return made;
}

const std::string with_v2 = "address = \"tcp://127.0.0.2:5222\"\nproxy_protocol = \"v2\"\n";

TEST(UpstreamExamination, VisitsAsAStrangerAndAsOneOfEachNetworkThatMayRegister) {
    EXPECT_THAT(visits(with_v2, welcome), ElementsAre("tcp v2 192.0.2.1", "tcp v2 192.0.2.65"));
    EXPECT_THAT(visits(with_v2, welcome, "whitelist = []"), ElementsAre("tcp v2 192.0.2.1"));
    EXPECT_THAT(visits("address = \"tcp://127.0.0.2:5222\"", welcome), ElementsAre("tcp none"));
}

TEST(UpstreamExamination, TriesOtherHeadersUntilOneIsAnswered) {
    auto const wanting = [](ProxyHeader header) {
        return [=](const VisitPlan& plan) { return testing::wants_header(header, plan); };
    };
    EXPECT_THAT(visits(with_v2, wanting(ProxyHeader::none)),
                ElementsAre("tcp v2 192.0.2.1", "tcp v1 192.0.2.1", "tcp none"));
    EXPECT_THAT(visits("address = \"tcp://127.0.0.2:5222\"", wanting(ProxyHeader::v2)),
                ElementsAre("tcp none", "tcp v2 192.0.2.1"));
}

TEST(UpstreamExamination, DoesNotInsistWhereThereIsNothingToTry) {
    for (auto const end : {Visit::End::no_such_name, Visit::End::not_connected})
        EXPECT_THAT(visits(with_v2, [=](auto const& plan) { return testing::failed(plan, end); }),
                    ElementsAre("tcp v2 192.0.2.1"));
    EXPECT_THAT(
        visits(with_v2,
               [](auto const& plan) { return testing::stream_error(plan, "host-unknown"); }),
        ElementsAre("tcp v2 192.0.2.1"));
}

TEST(UpstreamExamination, LooksPastARefusedCertificate) {
    auto const server = [](const VisitPlan& plan) {
        return plan.verify ? testing::failed(plan, Visit::End::certificate_refused) : welcome(plan);
    };
    EXPECT_THAT(visits("address = \"tls://127.0.0.2:5222\"\nproxy_protocol = \"v1\"", server),
                ElementsAre("tls v1 192.0.2.1", "tls v1 192.0.2.1 unverified",
                            "tls v1 192.0.2.65 unverified"));
}

TEST(UpstreamExamination, LooksInTheClearWhereThereIsNoStarttls) {
    auto const server = [](const VisitPlan& plan) {
        return testing::failed(plan, Visit::End::starttls_failed);
    };
    EXPECT_THAT(
        visits("address = \"starttls://127.0.0.2:5222\"", server),
        ElementsAre("starttls none", "starttls v2 192.0.2.1", "starttls v1 192.0.2.1", "tcp none"));
}

// A header names an address of the gate that such a client can have connected to.
TEST(UpstreamExamination, ClientsComeByADoorOfTheirOwnFamily) {
    auto const snapshot = testing::snapshot_of(R"(
        [[listen]]
        address = ["0.0.0.0:5222", "203.0.113.5:5223", "[::]:5222"]
        tls = "direct"
        [registration]
        url = "https://example.org/"
        whitelist = ["2001:db8:1::/48"]
        [[host]]
        name = "example.org"
        self_signed = true
        upstream = { address = "tcp://127.0.0.2:5222", proxy_protocol = "v2" }
    )");
    std::vector<std::string> doors;
    testing::examination(*snapshot, [&](const VisitPlan& plan) {
        doors.push_back(plan.source.address.to_string() + " at " + plan.destination.to_string());
        return welcome(plan);
    });
    EXPECT_THAT(doors, ElementsAre("192.0.2.1 at 203.0.113.5:5223", "2001:db8:1::1 at [::1]:5222"));
}

std::vector<std::string> allowed(const std::string& whitelist) {
    auto const snapshot = testing::gate_before(with_v2, "whitelist = " + whitelist);
    std::vector<std::string> texts;
    for (auto const& address : example_addresses(*snapshot, "example.org").allowed)
        texts.push_back(address.to_string());
    return texts;
}

TEST(ExampleAddresses, AreOneOfEachNetworkLoopbackLast) {
    EXPECT_THAT(allowed("[]"), IsEmpty());
    EXPECT_THAT(allowed(R"(["127.0.0.1", "10.0.0.0/8", "198.51.100.7", "fd00::/8"])"),
                ElementsAre("10.0.0.1", "198.51.100.7", "fd00::1", "127.0.0.1"));
    EXPECT_THAT(allowed(R"(["10.0.0.0/31"])"), ElementsAre("10.0.0.0"));
    EXPECT_THAT(allowed(R"(["0.0.0.0/0"])"), ElementsAre("192.0.2.1"));
}

TEST(ExampleAddresses, AreNotMoreThanAFew) {
    auto const snapshot =
        testing::gate_before(with_v2, R"(whitelist = ["10.0.0.1", "10.0.0.2", "10.0.0.3",
                                                      "10.0.0.4", "10.0.0.5"])");
    auto const examples = example_addresses(*snapshot, "example.org");
    EXPECT_EQ(examples.allowed.size(), most_allowed);
    EXPECT_TRUE(examples.more_allowed);
}

TEST(ExampleAddresses, AStrangerIsSomebodyWhoMayNotRegister) {
    auto const stranger = [](const std::string& whitelist) {
        auto const snapshot = testing::gate_before(with_v2, "whitelist = " + whitelist);
        auto const found = example_addresses(*snapshot, "example.org").stranger;
        return found ? found->to_string() : "nobody";
    };
    EXPECT_EQ(stranger("[]"), "192.0.2.1");
    EXPECT_EQ(stranger(R"(["192.0.2.0/24"])"), "198.51.100.1");
    EXPECT_EQ(stranger(R"(["0.0.0.0/0"])"), "2001:db8::1");
    EXPECT_EQ(stranger(R"(["0.0.0.0/0", "::/0"])"), "nobody");
}

}  // namespace
}  // namespace stanzagate::proxy
