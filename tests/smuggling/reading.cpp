#include "tests/smuggling/reading.hpp"

#include <utility>

namespace stanzagate::smuggling {

std::string to_text(const Tree& tree) {
    auto text = "<" + (tree.ns.empty() ? "" : tree.ns + "\n") + tree.local;
    for (auto const& [name, value] : tree.attributes) text += " " + name + "=[" + value + "]";
    text += ">" + tree.text;
    for (auto const& child : tree.children) text += to_text(child) + child.tail;
    return text + "</>";
}

void TreeBuilder::start(std::string ns, std::string local,
                        std::map<std::string, std::string> attributes) {
    if (depth_++ == 0) return;
    Tree tree{std::move(ns), std::move(local), std::move(attributes), {}, {}, {}};
    if (open_.empty()) {
        element_ = std::move(tree);
        open_.push_back(&element_);
    } else {
        // Only the last child of each is ever pointed at, and it is the last one pushed.
        auto& siblings = open_.back()->children;
        siblings.push_back(std::move(tree));
        open_.push_back(&siblings.back());
    }
}

void TreeBuilder::end() {
    if (--depth_ == 0) return;
    open_.pop_back();
    if (open_.empty()) reading.elements.push_back(std::move(element_));
}

void TreeBuilder::text(std::string_view characters) {
    if (open_.empty()) return;
    auto& parent = *open_.back();
    (parent.children.empty() ? parent.text : parent.children.back().tail) += characters;
}

}  // namespace stanzagate::smuggling
