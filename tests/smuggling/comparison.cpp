#include "tests/smuggling/comparison.hpp"

#include <algorithm>
#include <optional>

#include "tests/filters/canonical.hpp"

namespace stanzagate::smuggling {
namespace {

using namespace filters;

std::optional<std::string> attribute(const Tree& tree, const std::string& name) {
    auto const found = tree.attributes.find(name);
    if (found == tree.attributes.end()) return std::nullopt;
    return found->second;
}

bool same_name(const Element& element, const Tree& tree) {
    return element.ns == namespace_of(tree.ns) && element.local == tree.local;
}

// The gate keeps less of an element than there is: what it decides by.
std::string difference(const KeptFrame& frame, const Tree& tree) {
    auto const& known = frame.attributes;
    if (!same_name(frame.root, tree)) return "the name";
    if (known.id != attribute(tree, "id")) return "the id";
    if (known.type != attribute(tree, "type")) return "the type";
    if (known.to != attribute(tree, "to")) return "to";
    if (known.from != attribute(tree, "from")) return "from";
    if (known.lang != attribute(tree, "http://www.w3.org/XML/1998/namespace\nlang"))
        return "the language";
    auto const& children = frame.root.children;
    bool const same = std::equal(children.begin(), children.end(), tree.children.begin(),
                                 tree.children.end(), same_name);
    return same ? "" : "the children";
}

// Where a chunk of CDATA that libxml2 is given ends between CR and LF, it makes two line ends of
// them. They decide nothing.
std::string without_line_ends(std::string text) {
    std::erase(text, '\n');
    return text;
}

}  // namespace

std::string difference(const Passage& passage, const Reading& reading) {
    auto const plain = canonical_elements(passage.document());
    if (!reading.error.empty()) return reading.error;
    if (reading.elements.size() != passage.elements.size()) return "the number of elements";
    if (reading.elements.size() != plain.size()) return "the number of elements to Expat";
    for (std::size_t i = 0; i < plain.size(); ++i) {
        auto const& tree = reading.elements[i];
        auto const found = difference(passage.elements[i], tree);
        if (!found.empty()) return found + " of " + to_text(tree);
        if (without_line_ends(to_text(tree)) != without_line_ends(plain[i]))
            return to_text(tree) + " and " + plain[i];
    }
    return "";
}

bool asks_to_register(const Tree& tree) {
    auto const type = attribute(tree, "type");
    if (tree.local != "iq" || type == "result" || type == "error") return false;
    return std::any_of(tree.children.begin(), tree.children.end(),
                       [](auto const& child) { return child.ns == "jabber:iq:register"; });
}

}  // namespace stanzagate::smuggling
