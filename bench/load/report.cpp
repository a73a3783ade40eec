#include "bench/load/report.hpp"

#include <array>
#include <cstdio>

namespace stanzagate::load {

Report::Report(std::string_view phase) : line_("{\"phase\": \"" + std::string(phase) + '"') {}

void Report::add(std::string_view key, std::uint64_t number) {
    add_text(key, std::to_string(number));
}

void Report::add(std::string_view key, double number) {
    std::array<char, 64> text{};
    int const size = std::snprintf(text.data(), text.size(), "%.6g", number);
    add_text(key, {text.data(), static_cast<std::size_t>(size)});
}

void Report::print() const {
    std::printf("%s}\n", line_.c_str());
    std::fflush(stdout);
}

void Report::add_text(std::string_view key, std::string_view value) {
    line_ += ", \"";
    line_ += key;
    line_ += "\": ";
    line_ += value;
}

}  // namespace stanzagate::load
