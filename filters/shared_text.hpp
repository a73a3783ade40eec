#pragma once

#include <memory>
#include <string>
#include <utility>

namespace stanzagate::filters {

// Text that is held in several places and never changed: a copy of it costs nothing.
class SharedText {
public:
    SharedText() = default;
    SharedText(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}
    SharedText(const char* text) : SharedText(std::string(text)) {}

    const std::string& text() const { return text_ ? *text_ : nothing_; }

private:
    static inline const std::string nothing_;

    std::shared_ptr<const std::string> text_;
};

}  // namespace stanzagate::filters
