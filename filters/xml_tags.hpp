#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Tags as they are written, for what has to be cut out of its document and must then stand by
// itself. Nothing here checks well-formedness: every function wants bytes that a StanzaFramer has
// accepted, except where it says otherwise.
namespace stanzagate::filters {

// An attribute as it is written: `quoted` is its value with both quotes.
struct WrittenAttribute {
    std::string_view name;
    std::string_view quoted;
};

// The tag that `xml` begins with, to the first '>' that stands in no quotes.
std::string_view tag_at(std::string_view xml);

// Of a name as it is written: "stream" of "stream:features", "" of "features".
std::string_view prefix_of(std::string_view name);

// The attributes of a start tag, in order. Of anything else than a start tag: those that can be
// made out, so that it may also be asked of bytes that nobody has checked yet.
std::vector<WrittenAttribute> written_attributes(std::string_view start_tag);

// What an attribute says: references resolved, white space as XML 1.0 section 3.3.3 has it.
std::string attribute_value(std::string_view quoted);

// What an element sees of the tags around it: for each prefix ("" is the default namespace) its
// namespace, written with quotes.
struct Declaration {
    std::string prefix;
    std::string quoted;
};
using Scope = std::vector<Declaration>;

Scope declarations_in(std::string_view start_tag);

// The prefixes that an element uses without declaring them, each once; "" where it or something in
// it is in the default namespace around it.
std::vector<std::string_view> foreign_prefixes(std::string_view element);

// The element with what it needs of the scope declared in its own start tag, and `extra`
// (attributes, with a space before each) behind that; every other byte stays.
std::string standalone(std::string_view element, const Scope& scope, std::string_view extra = {});

}  // namespace stanzagate::filters
