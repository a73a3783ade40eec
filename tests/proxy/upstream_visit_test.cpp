#include "proxy/upstream_visit.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "proxy/proxy_protocol.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/test_gate.hpp"
#include "tests/proxy/visits.hpp"

// Visits over real sockets, to a server that a thread of the test plays.
namespace stanzagate::proxy {
namespace {

using namespace std::chrono_literals;
using config::UpstreamScheme;
using ::testing::HasSubstr;
using testing::hear;
using ::testing::IsEmpty;
using testing::say;
using ::testing::StartsWith;
using End = Visit::End;

const std::string opening =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' to='example.org' version='1.0'>";
const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='1' version='1.0'>";
const std::string features =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
    "<mechanism>PLAIN</mechanism></mechanisms></stream:features>";
const std::string request =
    "<iq type='get' id='stanzagate-check' to='example.org'>"
    "<query xmlns='jabber:iq:register'/></iq>";
const std::string form =
    "<iq type='result' id='stanzagate-check'><query xmlns='jabber:iq:register'>"
    "<username/><password/></query></iq>";

class UpstreamVisit : public ::testing::Test {
protected:
    UpstreamVisit() { wait_for("10s"); }

    void wait_for(const std::string& time) {
        snapshot_ = testing::gate_before("address = \"tls://127.0.0.1:1\"\nconnect_timeout = \"" +
                                         time + "\"\n");
        plan_.host = &snapshot_->config.hosts.front();
        plan_.name = "example.org";
        plan_.address = {UpstreamScheme::tcp, "127.0.0.1", upstream_.port()};
        plan_.source = *config::Endpoint::parse("192.0.2.1:50000");
        plan_.destination = *config::Endpoint::parse("192.0.2.2:5222");
    }

    // Visits while `server` plays the other end.
    Visit visit(const std::function<void(Fd&)>& server) {
        std::thread player([&] {
            auto fd = upstream_.accept();
            ASSERT_TRUE(fd);
            server(fd);
        });
        auto const seen = visit_upstream(plan_, snapshot_->upstream_tls);
        player.join();
        return seen;
    }

    testing::TestUpstream upstream_;
    std::shared_ptr<const Snapshot> snapshot_;
    VisitPlan plan_;
};

TEST_F(UpstreamVisit, LooksRoundAndTakesItsLeave) {
    std::string heard;
    auto const seen = visit([&](Fd& fd) {
        EXPECT_EQ(hear(fd, opening.size()), opening);
        say(fd, header + features);
        EXPECT_EQ(hear(fd, request.size()), request);
        say(fd, form);
        heard = testing::hear_to_end(fd);
    });
    EXPECT_EQ(seen.end, End::answered);
    EXPECT_EQ(seen.answers.registration, filters::RegistrationReply::form);
    EXPECT_EQ(seen.gate, "127.0.0.1");
    EXPECT_EQ(seen.server, "127.0.0.1");
    EXPECT_EQ(heard, "</stream:stream>");
}

TEST_F(UpstreamVisit, SendsTheProxyHeaderBeforeTheStream) {
    for (auto const kind : {config::ProxyHeader::v1, config::ProxyHeader::v2}) {
        plan_.header = kind;
        auto const expected =
            (kind == config::ProxyHeader::v1 ? proxy_header_v1(plan_.source, plan_.destination)
                                             : proxy_header_v2(plan_.source, plan_.destination)) +
            opening;
        auto const seen = visit([&](Fd& fd) {
            EXPECT_EQ(hear(fd, expected.size()), expected);
            say(fd, header + "<stream:features/>");
        });
        EXPECT_EQ(seen.end, End::answered);
        EXPECT_EQ(seen.header, kind);
        EXPECT_EQ(seen.source.to_string(), "192.0.2.1");
    }
}

TEST_F(UpstreamVisit, TellsHowItEnded) {
    EXPECT_EQ(visit([](Fd& fd) { hear(fd, opening.size()); }).end, End::closed);
    EXPECT_EQ(visit([](Fd& fd) {
                  hear(fd, opening.size());
                  say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
              }).end,
              End::no_xmpp);
    auto const seen = visit([](Fd& fd) {
        hear(fd, opening.size());
        say(fd, header +
                    "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                    "</stream:error>");
    });
    EXPECT_EQ(seen.end, End::stream_error);
    EXPECT_EQ(seen.answers.stream_error, "host-unknown");
}

TEST_F(UpstreamVisit, DoesNotWaitForEver) {
    wait_for("200ms");
    auto const before = std::chrono::steady_clock::now();
    auto const seen = visit([](Fd& fd) { testing::hear_to_end(fd); });
    EXPECT_EQ(seen.end, End::silent);
    EXPECT_GE(std::chrono::steady_clock::now() - before, 200ms);
}

TEST_F(UpstreamVisit, KeepsWhatCameBeforeTheEnd) {
    auto const seen = visit([](Fd& fd) {
        hear(fd, opening.size());
        say(fd, header + features);
        hear(fd, request.size());
    });
    EXPECT_EQ(seen.end, End::answered);
    EXPECT_TRUE(seen.answers.asked_to_register);
    EXPECT_EQ(seen.answers.registration, filters::RegistrationReply::none);
}

TEST_F(UpstreamVisit, ToNobody) {
    plan_.address.port = 1;  // tcpmux, which nobody has
    auto const seen = visit_upstream(plan_, snapshot_->upstream_tls);
    EXPECT_EQ(seen.end, End::not_connected);
    EXPECT_EQ(seen.words, "Connection refused");
    plan_.address.host = "no-such-name.invalid";
    EXPECT_EQ(visit_upstream(plan_, snapshot_->upstream_tls).end, End::no_such_name);
}

TEST_F(UpstreamVisit, WhereThereIsNoTls) {
    plan_.address.scheme = UpstreamScheme::tls;
    auto seen = visit([](Fd& fd) {
        say(fd, header);
        testing::hear_to_end(fd);
    });
    EXPECT_EQ(seen.end, End::tls_failed);
    EXPECT_THAT(seen.words, HasSubstr("wrong version number"));

    plan_.address.scheme = UpstreamScheme::starttls;
    seen = visit([](Fd& fd) {
        hear(fd, opening.size());
        say(fd, header + features);
        testing::hear_to_end(fd);
    });
    EXPECT_EQ(seen.end, End::starttls_failed);
    EXPECT_EQ(seen.words, "the server does not offer STARTTLS");
}

}  // namespace
}  // namespace stanzagate::proxy
