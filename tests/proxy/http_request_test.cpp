#include "proxy/http_request.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/filters/splits.hpp"

namespace stanzagate::proxy {
namespace {

struct Read {
    std::optional<HttpRequest> request;
    std::optional<unsigned> error;
    std::string rest;
};

Read read(const filters::Pieces& pieces, std::size_t most_body = 1000) {
    HttpRequestReader reader(most_body);
    Read read;
    for (auto piece : pieces) {
        if (!reader.done() && !reader.error()) piece.remove_prefix(reader.feed(piece));
        if (reader.done()) read.rest += piece;
    }
    if (reader.done()) read.request = reader.take();
    read.error = reader.error();
    return read;
}

TEST(HttpRequestTest, IsReadInEverySplit) {
    std::string const text =
        "POST /http-bind?x=1 HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n"
        "Connection: keep-alive, Upgrade\r\nX: 1\r\nx: 2\r\n\r\nhello";
    std::string const next = "GET / HTTP/1.1\r\n";
    auto const both = text + next;
    for (auto const& pieces : filters::some_splits(both, 3)) {
        auto const read = proxy::read(pieces);
        ASSERT_TRUE(read.request);
        EXPECT_FALSE(read.error);
        EXPECT_EQ(read.request->method, "POST");
        EXPECT_EQ(read.request->path, "/http-bind");
        EXPECT_EQ(read.request->body, "hello");
        EXPECT_TRUE(read.request->keep_alive);
        EXPECT_EQ(*read.request->header("HOST"), "example.org");
        EXPECT_EQ(read.request->all("x"), (std::vector<std::string_view>{"1", "2"}));
        EXPECT_TRUE(read.request->lists("connection", "upgrade"));
        EXPECT_FALSE(read.request->lists("connection", "close"));
        EXPECT_EQ(read.rest, next);
    }
}

TEST(HttpRequestTest, AChunkedBodyIsPutTogether) {
    std::string const text =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    for (auto const& pieces : filters::some_splits(text, 4)) {
        auto const read = proxy::read(pieces);
        ASSERT_TRUE(read.request);
        EXPECT_EQ(read.request->body, "abcde");
    }
}

// RFC 9110 section 6.5.1: a trailer field is no header field. What speaks for us, or of whom we
// believe, stands in the header alone.
TEST(HttpRequestTest, TrailersAreDropped) {
    std::string const text =
        "POST / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9\r\n"
        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX-Forwarded-For: 198.51.100.7\r\n"
        "Forwarded: for=198.51.100.7\r\nOrigin: https://a\r\nHost: b\r\nConnection: close\r\n"
        "Expect: 100-continue\r\n\r\n";
    std::string const next = "GET /";
    auto const both = text + next;
    for (auto const& pieces : filters::some_splits(both, 6)) {
        auto const read = proxy::read(pieces);
        ASSERT_TRUE(read.request);
        EXPECT_FALSE(read.error);
        EXPECT_EQ(read.request->headers.size(), 3U);
        EXPECT_EQ(read.request->all("X-Forwarded-For"),
                  (std::vector<std::string_view>{"203.0.113.9"}));
        EXPECT_EQ(read.request->header("Forwarded"), nullptr);
        EXPECT_TRUE(read.request->keep_alive);
        EXPECT_EQ(read.request->body, "ab");
        EXPECT_EQ(read.rest, next);
    }
}

// The smallest chunks there are: five bytes beside each of the body.
TEST(HttpRequestTest, ABodyMayComeInAnyChunks) {
    std::string text = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    std::string const body(10'000, 'x');
    for (auto const c : body) text += std::string("1\r\n") + c + "\r\n";
    text += "0\r\n\r\n";
    for (auto const& pieces : filters::some_splits(text, 7)) {
        auto const read = proxy::read(pieces, body.size());
        EXPECT_FALSE(read.error);
        ASSERT_TRUE(read.request);
        EXPECT_TRUE(read.request->body == body);
    }
}

TEST(HttpRequestTest, AChunkedBodyMayBeEmpty) {
    std::string const text =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for (auto const& pieces : filters::every_split(text)) {
        auto const read = proxy::read(pieces);
        ASSERT_TRUE(read.request);
        EXPECT_EQ(read.request->body, "");
    }
}

// Whoever goes on for ever is refused before more is held than a header may have.
TEST(HttpRequestTest, WhatHasNoEndIsRefused) {
    std::string const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct Case {
        std::string begin;
        std::string more;
    };
    for (auto const& [begin, more] : std::vector<Case>{{"", "G"},
                                                       {"GET / HTTP/1.1\r\n", "X: y\r\n"},
                                                       {"GET / HTTP/1.1\r\nX: ", "x"},
                                                       {chunked, "0"},
                                                       {chunked + "5;a=", "x"},
                                                       {chunked + "0\r\nX: ", "x"},
                                                       {chunked + "0\r\n", "X: y\r\n"},
                                                       {chunked, "1;a=b\r\nx\r\n"}}) {
        HttpRequestReader reader(1'000'000);
        std::size_t fed = reader.feed(begin);
        while (!reader.error() && fed < 200'000) fed += reader.feed(more);
        EXPECT_EQ(reader.error().value_or(0), 431U) << begin << more;
        auto const most = HttpRequestReader::most_header_bytes + begin.size() + more.size();
        EXPECT_LE(fed - 7 * reader.body().size(), most) << begin << more;
    }
}

struct BadCase {
    const char* name;
    std::string text;
    unsigned status;
};

const std::string host = "Host: a\r\n";

class BadHttpRequestTest : public ::testing::TestWithParam<BadCase> {};
INSTANTIATE_TEST_SUITE_P(
    Rfc9112, BadHttpRequestTest,
    ::testing::Values(
        BadCase{"NoHttp", "<stream:stream>\r\n\r\n", 400},
        BadCase{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        BadCase{"TwoHosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", 400},
        BadCase{"FoldedHeader", "GET / HTTP/1.1\r\n" + host + "X: a\r\n b\r\n\r\n", 400},
        BadCase{"LengthInAFoldedHeader",
                "POST / HTTP/1.1\r\n" + host + "X: a\r\n\tContent-Length: 5\r\n\r\nabcde", 400},
        BadCase{"SpaceBeforeColon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
        BadCase{"NulInAHeader", std::string("GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 26), 400},
        BadCase{"TwoLengths",
                "POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
                400},
        BadCase{"LengthAndChunks",
                "POST / HTTP/1.1\r\n" + host +
                    "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"UnknownEncoding",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
        BadCase{"EncodingBesideChunked",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                400},
        BadCase{
            "ChunkedIsNotTheLast",
            "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            400},
        BadCase{
            "ChunkedTwice",
            "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
            400},
        BadCase{"ChunkedInTwoFields",
                "POST / HTTP/1.1\r\n" + host +
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"ChunkedWithAParameter",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"NoEncoding", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"ChunkedInHttp10",
                "POST / HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        BadCase{"LengthAndUnknownEncoding",
                "POST / HTTP/1.1\r\n" + host +
                    "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"LengthBeforeEncoding",
                "POST / HTTP/1.1\r\n" + host +
                    "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"SameLengthTwice",
                "POST / HTTP/1.1\r\n" + host +
                    "Content-Length: 5\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                400},
        BadCase{"ListOfLengths",
                "POST / HTTP/1.1\r\n" + host + "Content-Length: 5, 5\r\n\r\n0\r\n\r\n", 400},
        BadCase{"LengthWithASign",
                "POST / HTTP/1.1\r\n" + host + "Content-Length: +5\r\n\r\n0\r\n\r\n", 400},
        BadCase{"LengthInHex",
                "POST / HTTP/1.1\r\n" + host + "Content-Length: 0x5\r\n\r\n0\r\n\r\n", 400},
        BadCase{"NegativeLength", "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n", 400},
        BadCase{"TooLongByItsLength", "POST / HTTP/1.1\r\n" + host + "Content-Length: 1001\r\n\r\n",
                413},
        BadCase{"TooLongByItsChunks",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                    std::string(1001, 'x') + "\r\n0\r\n\r\n",
                413},
        BadCase{"HeadersTooLong",
                "GET / HTTP/1.1\r\n" + host + "X: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
        BadCase{"ExtensionTooLong",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n1;a=" +
                    std::string(20'000, 'x') + "\r\na\r\n0\r\n\r\n",
                431},
        BadCase{"TrailersTooLong",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " +
                    std::string(20'000, 'x') + "\r\n\r\n",
                431},
        BadCase{"QuotesOfAnExtensionThatDoNotEnd",
                "POST / HTTP/1.1\r\n" + host +
                    "Transfer-Encoding: chunked\r\n\r\n4;a=\"b\r\nabcd\r\n0\r\n\r\n",
                400},
        BadCase{"TheSameWithNothingBehind",
                "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n4;a=\"b\r\n",
                400},
        BadCase{"LineFeedInAnExtension",
                "POST / HTTP/1.1\r\n" + host +
                    "Transfer-Encoding: chunked\r\n\r\n4;a=\"\n\"\r\nabcd\r\n0\r\n\r\n",
                400},
        BadCase{
            "LineFeedInTheLastExtension",
            "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0;a=\"\n\"\r\n\r\n",
            400},
        BadCase{"NoWholeLine", "GET / HTT\r\n", 400},
        BadCase{"LinesEndWithoutReturn", "GET / HTTP/1.1\nHost: a\n\n", 400},
        BadCase{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        BadCase{"TargetIsNoPath", "GET example HTTP/1.1\r\n" + host + "\r\n", 400}),
    [](auto const& test) { return test.param.name; });

TEST_P(BadHttpRequestTest, IsRefused) {
    for (auto const& pieces : filters::some_splits(GetParam().text, 5)) {
        auto const read = proxy::read(pieces);
        EXPECT_EQ(read.error.value_or(0), GetParam().status);
    }
}

TEST(HttpRequestTest, OldAndOddForms) {
    auto const old = read({"GET / HTTP/1.0\r\n\r\n"});
    ASSERT_TRUE(old.request);
    EXPECT_TRUE(old.request->http_1_0);
    EXPECT_FALSE(old.request->keep_alive);
    EXPECT_TRUE(read({"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"}).request->keep_alive);
    auto const twice =
        read({"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"});
    EXPECT_FALSE(twice.request->keep_alive);
    auto const absolute = read({"GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n"});
    ASSERT_TRUE(absolute.request);
    EXPECT_EQ(absolute.request->path, "/x");
    auto const bare = read({"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"});
    EXPECT_EQ(bare.request->path, "/");
}

TEST(HttpRequestTest, WhoWaitsForWordIsToldOnce) {
    HttpRequestReader reader(10);
    reader.feed("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n");
    EXPECT_FALSE(reader.expects_continue());
    reader.feed("Content-Length: 2\r\n\r\n");
    EXPECT_TRUE(reader.expects_continue());
    EXPECT_FALSE(reader.expects_continue());
    reader.feed("ab");
    EXPECT_TRUE(reader.done());
}

}  // namespace
}  // namespace stanzagate::proxy
