#include "filters/host_meta.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stanzagate::filters {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostMeta, LinksToTheDoors) {
    EXPECT_THAT(
        host_meta_links({.host = "example.org",
                         .websocket_path = "/xmpp-websocket",
                         .bosh_path = "/http-bind"}),
        ElementsAre(
            HostMetaLink{"urn:xmpp:alt-connections:websocket", "wss://example.org/xmpp-websocket"},
            HostMetaLink{"urn:xmpp:alt-connections:xbosh", "https://example.org/http-bind"}));
    EXPECT_THAT(
        host_meta_links(
            {.host = "[2001:db8::1]", .port = 8443, .websocket_path = "/ws", .bosh_path = {}}),
        ElementsAre(
            HostMetaLink{"urn:xmpp:alt-connections:websocket", "wss://[2001:db8::1]:8443/ws"}));
    EXPECT_THAT(
        host_meta_links(
            {.host = "example.org", .port = 80, .websocket_path = {}, .bosh_path = "/b"}),
        ElementsAre(HostMetaLink{"urn:xmpp:alt-connections:xbosh", "https://example.org:80/b"}));
    EXPECT_THAT(host_meta_links({.host = "example.org", .websocket_path = {}, .bosh_path = {}}),
                IsEmpty());
}

TEST(HostMeta, IsWrittenAsXml) {
    const std::vector<HostMetaLink> links{{"r", "wss://a/b"}, {"<'&\">", "x\x01\ny"}};
    EXPECT_EQ(host_meta_xml(links),
              "<?xml version='1.0' encoding='utf-8'?>\n"
              "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
              "  <Link rel='r' href='wss://a/b'/>\n"
              "  <Link rel='&lt;&apos;&amp;&quot;&gt;' href='x&#10;y'/>\n"
              "</XRD>\n");
    EXPECT_EQ(host_meta_xml({}),
              "<?xml version='1.0' encoding='utf-8'?>\n"
              "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
              "</XRD>\n");
}

TEST(HostMeta, IsWrittenAsJson) {
    const std::vector<HostMetaLink> links{{"r", "wss://a/b["}, {"\"\\", "x\x01\n\x1f\xc3\xa9"}};
    EXPECT_EQ(host_meta_json(links), R"({"links":[{"rel":"r","href":"wss://a/b["},)"
                                     R"({"rel":"\"\\","href":"x\u0001\u000a\u001f)"
                                     "\xc3\xa9\"}]}\n");
    EXPECT_EQ(host_meta_json({}), "{\"links\":[]}\n");
}

}  // namespace
}  // namespace stanzagate::filters
