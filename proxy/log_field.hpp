#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace stanzagate::proxy {

// One key and its value in a log line. Empty values are left out.
struct Field {
    Field(std::string_view name, std::string_view text) : key(name), value(text) {}
    Field(std::string_view name, const std::string& text) : key(name), value(text) {}
    Field(std::string_view name, const char* text) : key(name), value(text) {}
    Field(std::string_view name, std::integral auto number)
        : key(name), value(std::to_string(number)), is_number(true) {}

    std::string_view key;  // a name in the program's text
    std::string value;
    bool is_number = false;
};

}  // namespace stanzagate::proxy
