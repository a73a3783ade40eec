#include "filters/stream_features.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

constexpr std::string_view registration_feature =
    "<register xmlns='http://jabber.org/features/iq-register'/>";

// One replacement of raw[begin, end).
struct Splice {
    std::size_t begin;
    std::size_t end;
    std::string text;
};

// White space around it does not count (XML Schema), and what no number can hold is very large.
std::optional<std::size_t> number(const Element& element) {
    std::string_view text = element.text;
    while (!text.empty() && is_xml_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_xml_space(text.back())) text.remove_suffix(1);
    std::size_t value = 0;
    auto const* const first = text.data();
    auto const* const last = first + text.size();
    auto const [end, error] = std::from_chars(first, last, value);
    if (end != last || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) return std::numeric_limits<std::size_t>::max();
    return value;
}

void lower_limits(const Element& limits, const FeatureEdits& edits, std::vector<Splice>& splices) {
    for (auto const& [name, bound] :
         {std::pair{"max-bytes", edits.max_bytes}, std::pair{"idle-seconds", edits.idle_seconds}}) {
        auto const* const limit = limits.child(Namespace::limits, name);
        if (!limit) continue;
        auto const offered = number(*limit);
        if (offered && *offered > bound)
            splices.push_back({limit->content_begin, limit->content_end, std::to_string(bound)});
    }
}

bool is_cut(const Element& feature, const FeatureEdits& edits) {
    if (feature.is(Namespace::tls, "starttls")) return true;
    if (feature.is(Namespace::compress_feature, "compression")) return true;
    if (feature.is(Namespace::register_feature, "register"))
        return edits.registration == FeatureEdits::Registration::absent;
    if (feature.is(Namespace::extensible_ibr, "register")) return edits.hide_registration_flows;
    return false;
}

// Adds the feature behind the last one. <stream:features/> is opened up for it.
void add_registration(const Frame& features, std::vector<Splice>& splices) {
    auto const& root = features.root;
    std::string text(registration_feature);
    if (root.content_begin != root.end) {
        splices.push_back({root.content_end, root.content_end, std::move(text)});
        return;
    }
    auto const name = written_name(features.raw);
    text.insert(0, 1, '>').append("</").append(name).append(">");
    splices.push_back({root.end - 2, root.end, std::move(text)});
}

}  // namespace

std::string rewrite_features(const Frame& features, const FeatureEdits& edits) {
    std::vector<Splice> splices;
    for (auto const& feature : features.root.children) {
        if (is_cut(feature, edits))
            splices.push_back({feature.begin, feature.end, {}});
        else if (feature.is(Namespace::limits, "limits"))
            lower_limits(feature, edits, splices);
    }
    if (edits.registration == FeatureEdits::Registration::present &&
        !features.root.child(Namespace::register_feature, "register"))
        add_registration(features, splices);

    std::sort(splices.begin(), splices.end(),
              [](auto const& a, auto const& b) { return a.begin < b.begin; });
    std::string rewritten;
    rewritten.reserve(features.raw.size() + registration_feature.size());
    std::size_t copied = 0;
    for (auto const& splice : splices) {
        rewritten += features.raw.substr(copied, splice.begin - copied);
        rewritten += splice.text;
        copied = splice.end;
    }
    rewritten += features.raw.substr(copied);
    return rewritten;
}

FeatureFindings look_at_features(const Frame& features) {
    FeatureFindings findings;
    bool authentication = false;
    for (auto const& feature : features.root.children) {
        bool const sasl = feature.is(Namespace::sasl, "mechanisms") ||
                          feature.is(Namespace::sasl2, "authentication");
        if (!sasl) continue;
        authentication = true;
        for (auto const& mechanism : feature.children) {
            findings.channel_binding |= mechanism.text.ends_with("-PLUS");
            findings.external |= mechanism.text == "EXTERNAL";
        }
    }
    auto const* const starttls = features.root.child(Namespace::tls, "starttls");
    findings.starttls_only =
        starttls && starttls->child(Namespace::tls, "required") && !authentication;
    return findings;
}

}  // namespace stanzagate::filters
