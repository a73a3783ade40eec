#pragma once

#include <cstddef>
#include <string_view>

namespace stanzagate::filters {

// What the parser has been given of a token without seeing its end: a tag with '>' in a quoted
// value, a comment. It looks through all of it again whenever it gets more, so a '>' that cannot be
// the end is not worth showing: byte by byte, each would cost the whole token anew. It is shown all
// the same for a while, since the parser finds what is wrong in a token before the token ends.
// This only says where the end may be; whether it is, the parser decides.
class UnfinishedToken {
public:
    // How often the parser may look in vain.
    static constexpr unsigned most_looks = 64;

    explicit UnfinishedToken(std::size_t begin) : begin_(begin) {}

    // The parser has looked once more.
    void looked_at() { ++looks_; }
    bool worth_a_look() const { return looks_ < most_looks; }

    // Where it begins, as the parser counts.
    std::size_t begin() const { return begin_; }
    // Where in `token`, which grows from call to call, the next '>' stands that may end it; npos:
    // it has not come. Every byte is looked at once.
    std::size_t find_end(std::string_view token);

private:
    std::size_t find_unquoted(std::string_view token);
    std::size_t find_behind(std::string_view token, std::string_view end);

    std::size_t begin_;
    unsigned looks_ = 0;
    std::size_t searched_ = 0;
    char quote_ = '\0';  // that is open where the search stands
};

}  // namespace stanzagate::filters
