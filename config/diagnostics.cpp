#include "config/diagnostics.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "config/utf8.hpp"

namespace stanzagate::config {
namespace {

std::string in_bytes(std::string_view character) {
    constexpr std::string_view digits = "0123456789abcdef";
    if (character == "\n") return "\\n";
    if (character == "\t") return "\\t";
    std::string out;
    for (const char c : character) {
        const auto byte = static_cast<unsigned char>(c);
        out += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xfU]};
    }
    return out;
}

}  // namespace

std::string Diagnostic::to_string() const {
    std::string text = where.file;
    text += ':' + std::to_string(std::max(where.line, 1));
    text += ':' + std::to_string(std::max(where.column, 1));
    text += severity == Severity::error ? ": error: " : ": warning: ";
    return text += message;
}

void Diagnostics::error(Position where, std::string message) {
    add({Severity::error, std::move(where), std::move(message)});
}

void Diagnostics::warning(Position where, std::string message) {
    add({Severity::warning, std::move(where), std::move(message)});
}

void Diagnostics::add(Diagnostic diagnostic) {
    if (diagnostic.severity == Severity::error) ++errors_;
    all_.push_back(std::move(diagnostic));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    // Equal keys stay in the order they were put in. (clang 19 does not compile this library's
    // std::stable_sort without a warning.)
    std::multimap<Position, const Diagnostic*> by_place;
    for (const Diagnostic& diagnostic : all_) by_place.emplace(diagnostic.where, &diagnostic);
    std::vector<Diagnostic> result;
    result.reserve(all_.size());
    for (const auto& [where, diagnostic] : by_place) result.push_back(*diagnostic);
    return result;
}

std::string one_line(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Utf8Character character = first_character(text);
        if (character.is_right() && !character.is_control())
            out += character.bytes;
        else
            out += in_bytes(character.bytes);
        text.remove_prefix(character.bytes.size());
    }
    return out;
}

std::string in_quotes(std::string_view text) {
    constexpr std::size_t longest = 200;
    const bool cut = text.size() > longest;
    if (cut) {
        text = text.substr(0, longest);
        // Not in the middle of a UTF-8 character.
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U)
            text.remove_suffix(1);
        if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0)
            text.remove_suffix(1);
    }
    return '"' + one_line(text) + (cut ? "...\"" : "\"");
}

std::string enumeration(std::span<const std::string> words, std::string_view last) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? last : ", ";
        out += words[i];
    }
    return out;
}

}  // namespace stanzagate::config
