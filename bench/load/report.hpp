#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stanzagate::load {

// One line of JSON: {"phase": ..., key: number, ...}. Keys are our own words: nothing to escape.
class Report {
public:
    explicit Report(std::string_view phase);
    void add(std::string_view key, std::uint64_t number);
    void add(std::string_view key, double number);
    void print() const;

private:
    void add_text(std::string_view key, std::string_view value);

    std::string line_;
};

}  // namespace stanzagate::load
