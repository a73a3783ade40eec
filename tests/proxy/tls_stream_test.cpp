#include "proxy/tls_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/certs/handshake.hpp"
#include "tests/proxy/sockets.hpp"
#include "tests/proxy/tls12_records.hpp"
#include "tests/proxy/tls_pair.hpp"

namespace stanzagate::proxy {
namespace {

using namespace testing;
using namespace std::chrono_literals;

std::string random_bytes(std::mt19937& random, std::size_t size) {
    std::string bytes(size, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    return bytes;
}

class TlsStreamTest : public ::testing::Test {
protected:
    std::unique_ptr<SharedTls> shared_ = std::make_unique<SharedTls>();
    std::mt19937 random_{20261};  // NOLINT(bugprone-random-generator-seed): the same every time
};

TEST_F(TlsStreamTest, HandshakeInPiecesOfAnySize) {
    for (std::size_t const piece : {1U, 2U, 5U, 100U, 100'000U}) {
        TlsPair one(*shared_);
        ASSERT_TRUE(one.handshake(piece)) << piece;
        say(one.pair.theirs, one.client.encrypt("hello"));
        EXPECT_EQ(one.read(5), "hello");
        one.write("welcome");
        EXPECT_EQ(one.client_reads(7), "welcome");
    }
}

// OpenSSL reads and writes through one BIO for all streams of a worker, and puts a buffer of each
// before it while its handshake lasts.
TEST_F(TlsStreamTest, StreamsTakeTurnsInAllTheirHandshakes) {
    std::array<std::unique_ptr<TlsPair>, 3> pairs;
    for (auto& one : pairs) one = std::make_unique<TlsPair>(*shared_);
    std::array<TlsStream::Handshake, 3> states{};
    auto const step = [&](std::size_t i) {
        auto& one = *pairs[i];
        if (auto const bytes = one.client.handshake(); !bytes.empty()) {
            say(one.pair.theirs, bytes);
            if (!one.wait_readable()) return;
            states[i] = one.stream.handshake();
            shared_->spoil();
        }
        one.client.feed(one.arrived());
    };
    step(0);
    step(1);
    pairs[1].reset();  // in the middle of its handshake
    ASSERT_TRUE(eventually(
        [&] {
            return states[0] == TlsStream::Handshake::done &&
                   states[2] == TlsStream::Handshake::done;
        },
        [&] {
            step(2);
            step(0);
        }));
    for (auto const i : {0U, 2U}) {
        auto& one = *pairs[i];
        one.write("welcome");
        EXPECT_EQ(one.client_reads(7), "welcome");
        say(one.pair.theirs, one.client.encrypt("hello"));
        EXPECT_EQ(one.read(5), "hello");
    }
}

// A client does not wait after its Finished. No event tells of what came along with it.
TEST_F(TlsStreamTest, DataInOnePacketWithTheEndOfTheHandshake) {
    for (std::size_t const size : {1U, 1000U, 40'000U}) {
        TlsPair one(*shared_);
        auto const said = random_bytes(random_, size);
        ASSERT_TRUE(one.handshake(1 << 20, said));
        EXPECT_TRUE(one.stream.buffered());
        EXPECT_EQ(one.read(size), said);
        EXPECT_FALSE(one.stream.buffered());
    }
}

// So much of it that one turn cannot take it all, and more behind: nothing is lost or turned round.
TEST_F(TlsStreamTest, MoreThanATurnTakesBehindTheHandshake) {
    TlsPair one(*shared_);
    auto const first = random_bytes(random_, 60'000);
    ASSERT_TRUE(one.handshake(1 << 20, first));
    auto const second = random_bytes(random_, 300'000);
    say(one.pair.theirs, one.client.encrypt(second));
    EXPECT_TRUE(one.read(first.size() + second.size()) == first + second);
}

TEST_F(TlsStreamTest, ManyRecordsAreOneReadAndOneCall) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    std::string packet;
    std::string expected;
    for (int i = 0; i < 400; ++i) {
        auto const stanza = "<message id='" + std::to_string(i) + "'/>";
        packet += one.client.encrypt(stanza);
        expected += stanza;
    }
    say(one.pair.theirs, packet);
    std::this_thread::sleep_for(20ms);  // so that all of it has arrived
    ASSERT_TRUE(one.wait_readable());
    SystemCalls::reset();
    EXPECT_EQ(one.read(), expected);
    EXPECT_EQ(SystemCalls::receives(), 1U);
    EXPECT_EQ(SystemCalls::sends(), 0U);
    EXPECT_FALSE(one.wire.readable());
    EXPECT_FALSE(one.stream.buffered());
}

TEST_F(TlsStreamTest, ManyRecordsAreWrittenInOneCall) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto const said = random_bytes(random_, Scratch::receive_size);
    SystemCalls::reset();
    one.write(said);
    EXPECT_EQ(SystemCalls::sends(), 1U);
    EXPECT_EQ(SystemCalls::receives(), 0U);
    EXPECT_TRUE(one.client_reads(said.size()) == said);
}

TEST_F(TlsStreamTest, BurstsAreReadInFullTurns) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto const said = random_bytes(random_, 1'000'000);
    std::thread sender([&] { say(one.pair.theirs, one.client.encrypt(said)); });
    EXPECT_TRUE(one.read(said.size()) == said);
    sender.join();
}

TEST_F(TlsStreamTest, ReadMakesNoMoreThanOneCall) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto const said = random_bytes(random_, 200'000);
    say(one.pair.theirs, one.client.encrypt(said));
    std::string got;
    ASSERT_TRUE(eventually(
        [&] {
            SystemCalls::reset();
            if (one.wire.readable()) got += one.read();
            EXPECT_LE(SystemCalls::receives(), 1U);
            return got.size() == said.size();
        },
        [&] { one.events.wait(10ms); }));
    EXPECT_TRUE(got == said);
}

TEST_F(TlsStreamTest, RecordInSinglePieces) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto const record = one.client.encrypt("<presence/>");
    for (std::size_t i = 0; i < record.size(); ++i) {
        say(one.pair.theirs, std::string_view(record).substr(i, 1));
        ASSERT_TRUE(one.wait_readable());
        EXPECT_EQ(one.read(), i + 1 == record.size() ? "<presence/>" : "");
        EXPECT_FALSE(one.stream.ended());
    }
}

TEST_F(TlsStreamTest, WritesMoreThanTheSocketTakes) {
    TlsPair one(*shared_, 8192);
    ASSERT_TRUE(one.handshake());
    std::string said;
    for (int i = 0; i < 30; ++i) {
        auto const more = random_bytes(random_, 50'000);
        one.write(more);
        said += more;
    }
    EXPECT_TRUE(one.wire.blocked());
    one.stream.close_write();
    EXPECT_TRUE(one.client_reads(std::string::npos) == said);
    EXPECT_TRUE(one.client.told_end());
    EXPECT_EQ(hear_to_end(one.pair.theirs), "");
}

TEST_F(TlsStreamTest, CloseNotifyEndsReadingOnly) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto last = one.client.encrypt("last words");
    last += one.client.close_notify();
    say(one.pair.theirs, last);
    EXPECT_EQ(one.read_to_end(), "last words");
    EXPECT_TRUE(one.stream.ended());
    EXPECT_FALSE(one.wire.ended());
    auto const said = random_bytes(random_, 100'000);
    one.write(said);
    EXPECT_TRUE(one.client_reads(said.size()) == said);
    EXPECT_FALSE(one.client.told_end());
    one.stream.close_write();
    EXPECT_EQ(one.client_reads(1), "");
    EXPECT_TRUE(one.client.told_end());
}

TEST_F(TlsStreamTest, NothingCountsBehindACloseNotify) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    say(one.pair.theirs, one.client.close_notify() + std::string(70'000, 'x'));
    EXPECT_EQ(one.read_to_end(), "");
    EXPECT_EQ(one.read(), "");
}

TEST_F(TlsStreamTest, CloseWriteLeavesReading) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    one.stream.close_write();
    EXPECT_EQ(one.client_reads(1), "");
    EXPECT_TRUE(one.client.told_end());
    EXPECT_EQ(hear_to_end(one.pair.theirs), "");
    say(one.pair.theirs, one.client.encrypt("but I"));
    EXPECT_EQ(one.read(5), "but I");
    SystemCalls::reset();
    one.stream.close_write();
    EXPECT_EQ(SystemCalls::sends(), 0U);
}

// FIN without close_notify: the bytes are delivered, and the end is an end.
TEST_F(TlsStreamTest, Truncation) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto said = one.client.encrypt("complete");
    said += one.client.encrypt("never complete");
    said.pop_back();
    say(one.pair.theirs, said);
    say_no_more(one.pair.theirs);
    EXPECT_EQ(one.read_to_end(), "complete");
    EXPECT_TRUE(one.stream.ended());
    one.write("still");
    EXPECT_EQ(one.client_reads(5), "still");
}

TEST_F(TlsStreamTest, TruncatedHandshakeFails) {
    for (std::size_t const size : {0U, 1U, 5U, 100U}) {
        TlsPair one(*shared_);
        say(one.pair.theirs, one.client.handshake().substr(0, size));
        say_no_more(one.pair.theirs);
        auto state = TlsStream::Handshake::waiting;
        std::this_thread::sleep_for(10ms);
        // One event may tell of both; then nothing but readable() asks for another turn.
        ASSERT_TRUE(one.wait_readable());
        EXPECT_TRUE(eventually([&] { return state == TlsStream::Handshake::failed; },
                               [&] {
                                   if (one.wire.readable()) state = one.stream.handshake();
                               }))
            << size;
        EXPECT_TRUE(one.stream.ended());
    }
}

TEST_F(TlsStreamTest, ClearTextFailsTheHandshake) {
    TlsPair one(*shared_);
    say(one.pair.theirs, "<?xml version='1.0'?><stream:stream to='example.org'>");
    ASSERT_TRUE(one.wait_readable());
    EXPECT_EQ(one.stream.handshake(), TlsStream::Handshake::failed);
}

TEST_F(TlsStreamTest, ForgedRecordEndsBothDirections) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    auto record = one.client.encrypt("forged");
    record.back() = static_cast<char>(record.back() ^ 1);
    say(one.pair.theirs, record);
    EXPECT_EQ(one.read_to_end(), "");
    EXPECT_TRUE(one.stream.ended());
    one.write("never said");
    one.stream.close_write();
    one.client.feed(hear_to_end(one.pair.theirs));
    EXPECT_EQ(one.client.read(), "");
    EXPECT_NE(one.client.error().find("bad record mac"), std::string::npos) << one.client.error();
}

// A key update costs some hundred times what a byte does, and no limit sees it.
TEST_F(TlsStreamTest, AFloodOfKeyUpdatesEndsTheConnection) {
    TlsPair one(*shared_);
    ASSERT_TRUE(one.handshake());
    std::string flood;
    for (int i = 0; i < 64; ++i) flood += one.client.key_update();
    say(one.pair.theirs, flood + one.client.encrypt("still there"));
    EXPECT_EQ(one.read(11), "still there");
    one.write("welcome");
    EXPECT_EQ(one.client_reads(7), "welcome");

    say(one.pair.theirs, one.client.key_update() + one.client.encrypt("too much"));
    EXPECT_EQ(one.read_to_end(), "");
    EXPECT_TRUE(one.stream.broken());
}

// OpenSSL answers each with an alert, which a client that does not read makes us keep.
TEST_F(TlsStreamTest, AFloodOfRenegotiationsEndsTheConnection) {
    TlsPair one(*shared_, 0, TLS1_2_VERSION);
    ASSERT_TRUE(one.handshake());
    Tls12Records records(one.client.ssl());
    std::string_view const empty_client_hello("\x01\0\0\0", 4);
    std::string flood;
    for (int i = 0; i < 64; ++i) flood += records.write(SSL3_RT_HANDSHAKE, empty_client_hello);
    say(one.pair.theirs, flood + records.write(SSL3_RT_APPLICATION_DATA, "still there"));
    EXPECT_EQ(one.read(11), "still there");

    flood.clear();
    for (int i = 0; i < 1000; ++i) flood += records.write(SSL3_RT_HANDSHAKE, empty_client_hello);
    static_cast<void>(one.arrived());
    say(one.pair.theirs, flood);
    EXPECT_EQ(one.read_to_end(), "");
    EXPECT_TRUE(one.stream.broken());
    EXPECT_LE(one.arrived().size(), 100U);
}

// Sessions of a worker take turns with one scratch: nobody ever gets a byte of somebody else.
TEST_F(TlsStreamTest, StreamsThatShareAScratchShareNothingElse) {
    std::vector<std::unique_ptr<TlsPair>> all;
    std::vector<std::string> expected_up;
    std::vector<std::string> expected_down;
    std::vector<std::string> got_up;
    for (int i = 0; i < 4; ++i) {
        all.push_back(std::make_unique<TlsPair>(*shared_, i % 2 == 0 ? 0 : 8192));
        auto const early = random_bytes(random_, random_() % 50'000);
        ASSERT_TRUE(all.back()->handshake(1 + random_() % 3000, early));
        expected_up.push_back(early);
    }
    expected_down.resize(all.size());
    got_up.resize(all.size());
    for (int turn = 0; turn < 600; ++turn) {
        auto const who = random_() % all.size();
        auto& one = *all[who];
        auto const text = random_bytes(random_, random_() % 3000);
        switch (random_() % 3) {
            case 0:
                say(one.pair.theirs, one.client.encrypt(text));
                expected_up[who] += text;
                break;
            case 1:
                one.write(text);
                expected_down[who] += text;
                break;
            default:
                one.events.wait(0ms);
                if (one.wire.readable() || one.stream.buffered()) got_up[who] += one.read();
        }
    }
    for (std::size_t who = 0; who < all.size(); ++who) {
        got_up[who] += all[who]->read(expected_up[who].size() - got_up[who].size());
        EXPECT_TRUE(got_up[who] == expected_up[who]) << who;
        auto const got_down = all[who]->client_reads(expected_down[who].size());
        EXPECT_TRUE(got_down == expected_down[who]) << who;
    }
}

// ejabberd wants a whole PROXY header in its first read.
TEST_F(TlsStreamTest, BytesBeforeTheHandshakeGoOutWithIt) {
    TcpPair pair;
    Wire wire(std::move(pair.ours));
    TlsStream stream(certs::testing::make_client({.server_name = "example.org"}), wire,
                     shared_->scratch);
    SystemCalls::reset();
    EXPECT_EQ(stream.handshake("PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n"),
              TlsStream::Handshake::waiting);
    EXPECT_EQ(SystemCalls::sends(), 1U);
    auto const first = hear(pair.theirs, 35);
    EXPECT_EQ(first.substr(0, 33), "PROXY TCP4 1.2.3.4 5.6.7.8 9 10\r\n");
    EXPECT_EQ(first.substr(33), "\x16\x03");  // a handshake record
}

}  // namespace
}  // namespace stanzagate::proxy
