#include "filters/jid.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace stanzagate::filters {
namespace {

TEST(DomainOf, Jids) {
    for (auto const& [jid, domain] : {
             std::pair{"example.org", "example.org"},
             std::pair{"Example.ORG", "example.org"},
             std::pair{"example.org.", "example.org"},
             std::pair{"ann@example.org", "example.org"},
             std::pair{"ann@example.org/home", "example.org"},
             std::pair{"example.org/ann@other", "example.org"},
             std::pair{"ann@example.org/a/b@c", "example.org"},
             std::pair{"a@b@c", "b@c"},
             std::pair{"", ""},
             std::pair{"ann@", ""},
             std::pair{"/x", ""},
             std::pair{".", ""},
         })
        EXPECT_EQ(domain_of(jid), domain) << jid;
}

// What servers make of it before they look for the host (RFC 3491): another reading here would be
// decided by the rules of another host.
TEST(DomainOf, NameprepMakesAsciiOfIt) {
    for (auto const* const spelling : {
             "\xEF\xBD\x83losed.test",   // FULLWIDTH SMALL C
             "\xEF\xBC\xA3losed.test",   // FULLWIDTH CAPITAL C
             "clo\xC2\xADsed.test",      // SOFT HYPHEN
             "clo\xE2\x80\x8Bsed.test",  // ZERO WIDTH SPACE
             "clo\xC5\xBF"
             "ed.test",                  // LATIN SMALL LETTER LONG S
             "closed\xEF\xBC\x8Etest",   // FULLWIDTH FULL STOP
             "closed.test\xEF\xBC\x8E",  // which is stripped like a plain one
             "\xE2\x84\x82losed.test",   // DOUBLE-STRUCK CAPITAL C
             "ann@\xEF\xBD\x83losed.test/\xEF\xBC\xA0",
         })
        EXPECT_EQ(domain_of(spelling), "closed.test") << spelling;
    EXPECT_EQ(domain_of("stra\xC3\x9F"
                        "e.test"),
              "strasse.test");
}

// As hosts have to be configured, and as certificates name them.
TEST(DomainOf, WhatStaysOutsideAsciiIsWrittenInIt) {
    for (auto const* const spelling : {
             "b\xC3\xBC"
             "cher.Example",
             "B\xC3\x9C"
             "CHER.example",  // capitals
             "bu\xCC\x88"
             "cher.example",  // a combining mark
             "ann@b\xC3\xBC"
             "cher.example./x",
             "xn--bcher-kva.example",
         })
        EXPECT_EQ(domain_of(spelling), "xn--bcher-kva.example") << spelling;
}

TEST(DomainOf, WhatCannotBePreparedIsNoDomain) {
    for (auto const& jid : {
             std::string("a\xEF\xBC\xA0"
                         "b.org"),  // FULLWIDTH COMMERCIAL AT
             std::string("b.org\xEF\xBC\x8F"
                         "a"),                     // FULLWIDTH SOLIDUS
             std::string("\xF0\x9F\x84\xB0.org"),  // U+1F130: not in Unicode 3.2
             std::string("\xEE\x80\x80.org"),      // private use
             std::string("\xC2\xAD"),              // nothing is left
             std::string(1022, 'a') + "\xC3\xA9",  // longer than a domain may be
         })
        EXPECT_EQ(domain_of(jid), "") << jid;
    // Longer only by being prepared: U+FDFA is eighteen letters.
    std::string grows;
    for (int i = 0; i < 300; ++i) grows += "\xEF\xB7\xBA";
    EXPECT_EQ(domain_of(grows), "");
}

}  // namespace
}  // namespace stanzagate::filters
