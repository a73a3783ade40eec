#include "filters/lax_reading.hpp"

#include <algorithm>

#include "filters/namespaces.hpp"
#include "filters/xml_tags.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view cdata_begin = "<![CDATA[";
constexpr std::string_view cdata_end = "]]>";
constexpr std::string_view declaration = "xmlns:";

bool is_iq(std::string_view name) {
    return name == "iq" || name.ends_with(":iq");
}

// In the text of a CDATA section, where a tag need not be whole.
bool has_iq_tag(std::string_view text) {
    for (auto at = text.find('<'); at != std::string_view::npos; at = text.find('<', at + 1))
        if (is_iq(written_name(text.substr(at)))) return true;
    return false;
}

bool declares(std::string_view tag, std::string_view prefix) {
    auto const attributes = written_attributes(tag);
    return std::any_of(attributes.begin(), attributes.end(), [&](const WrittenAttribute& one) {
        return one.name.starts_with(declaration) && one.name.substr(declaration.size()) == prefix;
    });
}

}  // namespace

void LaxReading::note(const Frame& header) {
    look_through(header.raw);
}

bool LaxReading::may_see_another(const Frame& element) {
    if (look_through(element.raw) && leads_astray_ && declares_registration_) return true;
    if (element.root.local != "iq") return false;
    // What was declared last is what everybody goes by: nothing can come between, if it was here.
    auto before = tag_at(element.raw.substr(element.root.begin));
    for (auto const& child : element.root.children) {
        auto const tag = tag_at(element.raw.substr(child.begin));
        auto const prefix = prefix_of(written_name(tag));
        if (is_unclear(prefix) && !declares(before, prefix) && !declares(tag, prefix)) return true;
        before = {};
    }
    return false;
}

// Notes all that its tags say. True: there is an iq in it, and be it in a text.
bool LaxReading::look_through(std::string_view xml) {
    bool inner_iq = false;
    std::size_t at = xml.find('<');
    for (auto begin = at; at != std::string_view::npos; at = xml.find('<', at)) {
        auto const rest = xml.substr(at);
        if (rest.starts_with(cdata_begin)) {
            auto const end = std::min(rest.find(cdata_end), rest.size());
            auto const text = rest.substr(0, end).substr(cdata_begin.size());
            leads_astray_ = true;
            if (has_iq_tag(text)) {
                inner_iq = true;
                // What it declares may be written in any way.
                if (text.find("xmlns") != std::string_view::npos) declares_registration_ = true;
            }
            at += end;
            continue;
        }
        auto const tag = tag_at(rest);
        at += tag.size();
        if (tag.starts_with("</") || tag.starts_with("<?")) continue;
        if (tag.data() != xml.data() + begin && is_iq(written_name(tag))) inner_iq = true;
        for (auto const& attribute : written_attributes(tag))
            note(attribute.name, attribute.quoted);
    }
    return inner_iq;
}

void LaxReading::note(std::string_view name, std::string_view quoted) {
    auto const value = quoted.substr(1, quoted.size() - 2);
    if (value.find_first_of("\"'>") != std::string_view::npos) leads_astray_ = true;

    if (name.starts_with("xmlns")) {
        auto const meant = namespace_of(attribute_value(quoted));
        if (meant == Namespace::iq_register || meant == Namespace::extensible_ibr)
            declares_registration_ = true;
    }
    if (!name.starts_with(declaration)) return;
    auto const prefix = name.substr(declaration.size());
    auto const known = meanings_.find(prefix);
    if (known == meanings_.end()) {
        if (meanings_.size() < most_prefixes) meanings_.emplace(prefix, value);
    } else if (known->second != value) {
        unclear_.emplace(prefix);
    }
}

bool LaxReading::is_unclear(std::string_view prefix) const {
    if (prefix.empty()) return false;
    return unclear_.contains(prefix) || meanings_.size() == most_prefixes;
}

}  // namespace stanzagate::filters
