#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stanzagate::filters {

// `text` as it may stand in character data or in a quoted attribute value: & < > ' " become
// entities; tab, LF and CR become references, since a parser would turn them into spaces inside an
// attribute. Control characters that XML 1.0 cannot carry are left out.
std::string xml_escape(std::string_view text);

// Appends " NAME='VALUE'" with the value escaped.
void append_attribute(std::string& xml, std::string_view name, std::string_view value);

// Where the first byte stands that is not part of well-formed UTF-8 (RFC 3629: no overlong forms,
// no surrogates, nothing above U+10FFFF). An incomplete sequence at the very end is not an error.
std::optional<std::size_t> invalid_utf8(std::string_view bytes);

// The four characters of XML white space (XML 1.0 section 2.3).
constexpr bool is_xml_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Whether nothing else is in it.
constexpr bool is_xml_blank(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_xml_space);
}

}  // namespace stanzagate::filters
