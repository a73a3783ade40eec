#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace stanzagate::proxy {

// Bytes that wait for their turn, which is rare: while there are none it is one pointer and holds
// no memory. (A std::string would keep its capacity through `= {}` and through being moved to.)
class KeptBytes {
public:
    bool empty() const { return bytes_ == nullptr; }
    std::size_t size() const { return bytes_ ? bytes_->size() : 0; }
    std::string_view view() const { return bytes_ ? std::string_view(*bytes_) : ""; }

    void append(std::string_view more) {
        if (more.empty()) return;
        if (bytes_)
            *bytes_ += more;
        else
            bytes_ = std::make_unique<std::string>(more);
    }
    void prepend(std::string_view before) {
        if (bytes_)
            bytes_->insert(0, before);
        else
            append(before);
    }
    // The first `count` have had their turn.
    void drop(std::size_t count) {
        if (count >= size())
            clear();
        else
            bytes_->erase(0, count);
    }
    void clear() { bytes_.reset(); }

private:
    std::unique_ptr<std::string> bytes_;
};

}  // namespace stanzagate::proxy
