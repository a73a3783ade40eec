#include "filters/unfinished_token.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

namespace stanzagate::filters {
namespace {

struct Token {
    const char* name;
    std::string bytes;
    std::vector<std::size_t> ends;  // where a '>' stands that may be its end
};

std::ostream& operator<<(std::ostream& out, const Token& token) {
    return out << token.name;
}

class UnfinishedTokens : public testing::TestWithParam<Token> {};

std::vector<std::size_t> ends_of(const std::string& bytes, std::size_t piece) {
    std::vector<std::size_t> ends;
    UnfinishedToken token(7);
    for (std::size_t size = piece; size < bytes.size() + piece; size += piece) {
        auto const so_far = std::string_view(bytes).substr(0, size);
        for (auto end = token.find_end(so_far); end != std::string_view::npos;
             end = token.find_end(so_far))
            ends.push_back(end);
    }
    EXPECT_EQ(token.begin(), 7U);
    return ends;
}

TEST_P(UnfinishedTokens, HaveTheirEndsWhereverTheyAreCut) {
    auto const& [name, bytes, ends] = GetParam();
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
        EXPECT_EQ(ends_of(bytes, piece), ends) << piece;
}

INSTANTIATE_TEST_SUITE_P(
    Framer, UnfinishedTokens,
    testing::Values(Token{"a_tag", "<a b='>>' c=\">'>\">", {17}},
                    Token{"a_quote_in_the_other", "<a b='\">' c=\"'>\"/>", {17}},
                    Token{"an_open_quote", "<a b='>>>>>>", {}}, Token{"an_end_tag", "</a\n>", {4}},
                    Token{"a_comment", "<!-- ' > -> --> -->", {14, 18}},
                    Token{"a_comment_without_an_end", "<!-- >>> --", {}},
                    Token{"an_instruction", "<?x \" > ? > ?>", {13}},
                    Token{"a_literal", "\"> ' >\">", {7}},
                    Token{"a_doctype", "<!DOCTYPE a '>'>", {15}}, Token{"text", "]'>'>", {2, 4}}),
    [](auto const& suite) { return suite.param.name; });

}  // namespace
}  // namespace stanzagate::filters
