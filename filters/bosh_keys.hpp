#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "filters/bosh_body.hpp"

namespace stanzagate::filters {

// SHA-1 of the text, in hexadecimal digits.
using Sha1 = std::function<std::string(std::string_view)>;

// The key sequence of a BOSH session, if it has one (XEP-0124 section 15): each request proves that
// it comes from who sent the one before.
//   begin() with the first request, accept() with every later one, in the order of their rids
class BoshKeys {
public:
    explicit BoshKeys(Sha1 sha1) : sha1_(std::move(sha1)) {}

    void begin(const BoshBody& request) { expected_ = request.newkey.value_or(""); }

    // False where the key is not the next of the sequence.
    bool accept(const BoshBody& request) {
        if (expected_.empty()) return true;
        if (!request.key || !same(sha1_(*request.key), expected_)) return false;
        expected_ = request.newkey.value_or(*request.key);
        return true;
    }

private:
    static bool same(std::string_view left, std::string_view right) {
        if (left.size() != right.size()) return false;
        for (std::size_t i = 0; i < left.size(); ++i)
            if (lower(left[i]) != lower(right[i])) return false;
        return true;
    }
    static char lower(char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }

    Sha1 sha1_;
    std::string expected_;  // what the next key's hash must be; empty: no keys
};

}  // namespace stanzagate::filters
