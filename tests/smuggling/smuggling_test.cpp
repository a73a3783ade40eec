#include <gtest/gtest.h>

#include <ostream>
#include <set>

#include "tests/filters/canonical.hpp"
#include "tests/filters/test_config.hpp"
#include "tests/smuggling/comparison.hpp"
#include "tests/smuggling/corpus.hpp"
#include "tests/smuggling/passage.hpp"
#include "tests/smuggling/reading.hpp"

// What the gate forwards is read by other parsers as the gate read it: the same elements, with the
// same names, attributes and texts. So nothing can hide between two readings of the same bytes.
namespace stanzagate::smuggling {

std::ostream& operator<<(std::ostream& out, const Stream& stream) {
    return out << stream.name << "\n" << stream.bytes;
}

namespace {

using namespace filters;

class Smuggling : public testing::TestWithParam<Stream> {
protected:
    config::Config config_ = config_of();
    Policy policy_{config_};
};

TEST_P(Smuggling, IsReadAlike) {
    auto const& stream = GetParam();
    for (auto const peer : {stranger, whitelisted}) {
        auto const passage = pass(policy_, peer, {stream.bytes});
        EXPECT_EQ(passage.broken_promise, "");
        if (peer == stranger) {
            EXPECT_EQ(passage.verdict, stream.verdict);
        }
        auto const document = passage.document();
        if (document.empty()) continue;
        auto const libxml2 = read_with_libxml2(document);
        auto const xerces = read_with_xerces(document);
        EXPECT_EQ(difference(passage, libxml2), "") << "libxml2\n" << document;
        EXPECT_EQ(difference(passage, xerces), "") << "xerces\n" << document;
        if (peer == whitelisted) continue;
        for (auto const* const reading : {&libxml2, &xerces})
            for (auto const& element : reading->elements)
                EXPECT_FALSE(asks_to_register(element)) << to_text(element);
    }
}

TEST_P(Smuggling, DoesNotDependOnTheCut) {
    auto const& stream = GetParam();
    auto const whole = pass(policy_, stranger, {stream.bytes});
    for (auto const& pieces : some_splits(stream.bytes, 1)) {
        auto const cut = pass(policy_, stranger, pieces);
        EXPECT_EQ(cut.forwarded, whole.forwarded) << pieces.front();
        EXPECT_EQ(cut.verdict, whole.verdict) << pieces.front();
    }
}

INSTANTIATE_TEST_SUITE_P(Corpus, Smuggling, testing::ValuesIn(corpus()),
                         [](auto const& suite) { return suite.param.name; });

TEST(SmugglingCorpus, IsLargeAndEachNameIsItsOwn) {
    auto const all = corpus();
    std::set<std::string> names;
    for (auto const& stream : all) names.insert(stream.name);
    EXPECT_EQ(names.size(), all.size());
    EXPECT_GE(all.size(), 150U);
}

// A reader that is asked must be able to disagree, or its silence says nothing.
TEST(SmugglingReaders, SeeWhatTheGateRefuses) {
    std::string const hidden = "<s><a/><!-- <b/> --><c/></s>";
    EXPECT_EQ(read_with_libxml2(hidden).elements.size(), 2U);
    EXPECT_EQ(read_with_xerces(hidden).elements.size(), 2U);
    std::string const broken = "<s><a/><b></s>";
    for (auto const& reading : {read_with_libxml2(broken), read_with_xerces(broken)}) {
        EXPECT_NE(reading.error, "");
        EXPECT_EQ(reading.elements.size(), 1U);
    }
    std::string const full =
        "<s xmlns:p='urn:p'><p:a p:b='1' c='&lt;'>x<![CDATA[&]]><d/>y</p:a></s>";
    for (auto const& reading : {read_with_libxml2(full), read_with_xerces(full)}) {
        EXPECT_EQ(reading.error, "");
        ASSERT_EQ(reading.elements.size(), 1U);
        EXPECT_EQ(to_text(reading.elements[0]), canonical_elements(full).at(0));
    }
}

}  // namespace
}  // namespace stanzagate::smuggling
