#pragma once

#include <string>
#include <string_view>
#include <vector>

// TOML written for people to read and change.
namespace stanzagate::config {

// Any text as one that XML can carry: characters that it cannot are left out.
std::string as_xml_text(std::string_view bytes);

// "a \"text\" with everything escaped"; any bytes.
std::string toml_string(std::string_view text);
// ["a", "b"]
std::string toml_list(const std::vector<std::string>& texts);
// "# text\n", wrapped at a hundred columns; a continued line begins with more blanks.
std::string toml_comment(std::string_view text);

// `{` as a text template writes it, for a text that has no placeholders.
std::string without_placeholders(std::string_view text);

}  // namespace stanzagate::config
