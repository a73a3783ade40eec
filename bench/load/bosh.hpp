#pragma once

#include <string>
#include <string_view>

// As much BOSH (XEP-0124, XEP-0206) as both ends of a run speak, without a parser.
namespace stanzagate::load {

inline constexpr std::string_view bosh_path = "/http-bind";

// <body/> with these attributes, each with a space before it.
std::string bosh_body(std::string_view attributes, std::string_view payload = {});

// What stands in a <body/>, and in the quotes of one of its attributes; empty where it is not
// there.
std::string_view bosh_payload(std::string_view body);
std::string_view bosh_attribute(std::string_view body, std::string_view name);

}  // namespace stanzagate::load
