#include "filters/xml_tags.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>

#include "filters/frame.hpp"
#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view name_ends = " \t\r\n=/>";

struct Tag {
    enum class Kind { start, empty, end };
    Kind kind = Kind::start;
    std::string_view text;  // from '<' to '>'
};

// Goes through the tags of an element, over text and CDATA sections.
class Tags {
public:
    explicit Tags(std::string_view xml) : xml_(xml) {}

    std::optional<Tag> next() {
        for (;;) {
            auto const begin = xml_.find('<', at_);
            if (begin == std::string_view::npos) return std::nullopt;
            auto const rest = xml_.substr(begin);
            if (rest.starts_with("<![CDATA[")) {
                at_ = std::min(xml_.find("]]>", begin), xml_.size());
                continue;
            }
            auto const text = tag_at(rest);
            at_ = begin + text.size();
            if (text.starts_with("</")) return Tag{Tag::Kind::end, text};
            return Tag{text.ends_with("/>") ? Tag::Kind::empty : Tag::Kind::start, text};
        }
    }

private:
    std::string_view xml_;
    std::size_t at_ = 0;
};

// The prefix that an attribute declares, if it declares one.
std::optional<std::string_view> declared_prefix(std::string_view attribute) {
    if (attribute == "xmlns") return "";
    if (attribute.starts_with("xmlns:")) return attribute.substr(6);
    return std::nullopt;
}

// Which prefixes are declared, element by element.
class Scopes {
public:
    void enter(const std::vector<WrittenAttribute>& attributes) {
        marks_.push_back(declared_.size());
        for (auto const& attribute : attributes) {
            auto const prefix = declared_prefix(attribute.name);
            if (!prefix) continue;
            declared_.push_back(*prefix);
            ++times_[*prefix];
        }
    }
    void leave() {
        if (marks_.empty()) return;
        for (; declared_.size() > marks_.back(); declared_.pop_back()) --times_[declared_.back()];
        marks_.pop_back();
    }
    bool declares(std::string_view prefix) const {
        auto const found = times_.find(prefix);
        return prefix == "xml" || (found != times_.end() && found->second > 0);
    }

private:
    std::map<std::string_view, std::size_t> times_;  // by prefix, how many open elements declare it
    std::vector<std::string_view> declared_;
    std::vector<std::size_t> marks_;
};

void append_utf8(std::string& text, std::uint32_t code) {
    auto const put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
        put(0xC0 | code >> 6U);
    } else {
        if (code < 0x10000) {
            put(0xE0 | code >> 12U);
        } else {
            put(0xF0 | code >> 18U);
            put(0x80 | (code >> 12U & 0x3F));
        }
        put(0x80 | (code >> 6U & 0x3F));
    }
    put(0x80 | (code & 0x3F));
}

// Appends what "&NAME;" stands for.
void append_reference(std::string& text, std::string_view name) {
    if (name == "lt")
        text += '<';
    else if (name == "gt")
        text += '>';
    else if (name == "amp")
        text += '&';
    else if (name == "apos")
        text += '\'';
    else if (name == "quot")
        text += '"';
    if (!name.starts_with('#')) return;
    name.remove_prefix(1);
    int base = 10;
    if (name.starts_with('x')) {
        base = 16;
        name.remove_prefix(1);
    }
    std::uint32_t code = 0;
    auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (error == std::errc{}) append_utf8(text, code);
}

}  // namespace

std::string_view tag_at(std::string_view xml) {
    for (std::size_t at = 0;; ++at) {
        at = xml.find_first_of("\"'>", at);
        if (at == std::string_view::npos) return xml;
        if (xml[at] == '>') return xml.substr(0, at + 1);
        at = xml.find(xml[at], at + 1);
        if (at == std::string_view::npos) return xml;
    }
}

std::string_view prefix_of(std::string_view name) {
    auto const colon = name.find(':');
    return colon == std::string_view::npos ? std::string_view{} : name.substr(0, colon);
}

std::vector<WrittenAttribute> written_attributes(std::string_view start_tag) {
    std::vector<WrittenAttribute> attributes;
    auto at = start_tag.find_first_of(name_ends);
    for (;;) {
        at = start_tag.find_first_not_of(" \t\r\n=/", at);
        if (at == std::string_view::npos || start_tag[at] == '>') return attributes;
        auto const name_end = start_tag.find_first_of(name_ends, at);
        auto const open = start_tag.find_first_not_of(" \t\r\n=", name_end);
        if (open == std::string_view::npos) return attributes;
        if (start_tag[open] != '"' && start_tag[open] != '\'') return attributes;
        auto const close = start_tag.find(start_tag[open], open + 1);
        if (close == std::string_view::npos) return attributes;
        attributes.push_back(
            {start_tag.substr(at, name_end - at), start_tag.substr(open, close + 1 - open)});
        at = close + 1;
    }
}

std::string attribute_value(std::string_view quoted) {
    auto written = quoted.substr(1, quoted.size() - 2);
    std::string value;
    value.reserve(written.size());
    while (!written.empty()) {
        auto const special = std::min(written.find_first_of("&\t\r\n"), written.size());
        value += written.substr(0, special);
        written.remove_prefix(special);
        if (written.empty()) break;
        if (written[0] == '&') {
            auto const end = std::min(written.find(';'), written.size() - 1);
            append_reference(value, written.substr(1, end - 1));
            written.remove_prefix(end + 1);
        } else {
            value += ' ';
            written.remove_prefix(written.starts_with("\r\n") ? 2 : 1);
        }
    }
    return value;
}

Scope declarations_in(std::string_view start_tag) {
    Scope scope;
    for (auto const& attribute : written_attributes(start_tag))
        if (auto const prefix = declared_prefix(attribute.name))
            scope.push_back({std::string(*prefix), std::string(attribute.quoted)});
    return scope;
}

std::vector<std::string_view> foreign_prefixes(std::string_view element) {
    std::vector<std::string_view> foreign;
    Scopes scopes;
    auto const use = [&](std::string_view prefix) {
        if (scopes.declares(prefix)) return;
        if (std::find(foreign.begin(), foreign.end(), prefix) == foreign.end())
            foreign.push_back(prefix);
    };
    Tags tags(element);
    while (auto const tag = tags.next()) {
        if (tag->kind == Tag::Kind::end) {
            scopes.leave();
            continue;
        }
        auto const attributes = written_attributes(tag->text);
        scopes.enter(attributes);
        use(prefix_of(written_name(tag->text)));
        // An attribute without a prefix is in no namespace, whatever the default is.
        for (auto const& attribute : attributes)
            if (!declared_prefix(attribute.name) && attribute.name.find(':') != std::string::npos)
                use(prefix_of(attribute.name));
        if (tag->kind == Tag::Kind::empty) scopes.leave();
    }
    return foreign;
}

std::string standalone(std::string_view element, const Scope& scope, std::string_view extra) {
    std::string declarations;
    for (auto const prefix : foreign_prefixes(element)) {
        auto const found = std::find_if(scope.begin(), scope.end(), [&](auto const& declaration) {
            return declaration.prefix == prefix;
        });
        if (found == scope.end()) continue;
        declarations += prefix.empty() ? " xmlns" : " xmlns:";
        declarations += prefix;
        declarations += '=';
        declarations += found->quoted;
    }
    auto const name = written_name(element);
    auto const name_end = static_cast<std::size_t>(name.data() + name.size() - element.data());
    std::string whole;
    whole.reserve(element.size() + declarations.size() + extra.size());
    whole += element.substr(0, name_end);
    whole += declarations;
    whole += extra;
    whole += element.substr(name_end);
    return whole;
}

}  // namespace stanzagate::filters
