#include "proxy/doctor_report.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>
#include <utility>

namespace stanzagate::proxy {
namespace {

namespace json = boost::json;
using Weight = Finding::Weight;

constexpr std::size_t width = 96;

std::string_view to_string(Weight weight) {
    return weight == Weight::problem ? "problem" : "note";
}

// "  seen: TEXT", its further lines under TEXT.
std::string paragraph(std::string_view title, std::string_view text) {
    std::string out(title);
    std::size_t const indent = title.size();
    std::size_t column = indent;
    bool first = true;
    while (!text.empty()) {
        auto const end = std::min(text.find(' '), text.size());
        auto const word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!first && column + 1 + word.size() > width) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (!first) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        first = false;
    }
    return out + '\n';
}

std::string finding_as_text(const Finding& finding) {
    std::string out = paragraph("  " + std::string(to_string(finding.weight)) + ": ", finding.what);
    out += paragraph("    seen: ", finding.seen);
    out += paragraph("    why:  ", finding.why);
    for (auto const& [where, lines] : finding.set) {
        out += "    set:  " + where + ":\n";
        for (auto const& line : lines) out += "            " + line + '\n';
    }
    return out;
}

std::string counted(std::size_t number, std::string_view one) {
    return std::to_string(number) + ' ' + std::string(one) + (number == 1 ? "" : "s");
}

json::object finding_as_json(const Finding& finding) {
    json::object object;
    object["id"] = finding.id;
    object["weight"] = to_string(finding.weight);
    object["what"] = finding.what;
    object["seen"] = finding.seen;
    object["why"] = finding.why;
    auto& set = object["set"].emplace_array();
    for (auto const& [where, lines] : finding.set) {
        json::object setting;
        setting["where"] = where;
        setting["lines"] = json::array(lines.begin(), lines.end());
        set.push_back(std::move(setting));
    }
    return object;
}

}  // namespace

std::size_t DoctorReport::count(Finding::Weight weight) const {
    std::size_t number = 0;
    for (auto const& upstream : upstreams)
        number += static_cast<std::size_t>(
            std::count_if(upstream.findings.begin(), upstream.findings.end(),
                          [&](auto const& finding) { return finding.weight == weight; }));
    return number;
}

std::string as_text(const DoctorReport& report) {
    std::string out;
    for (auto const& upstream : report.upstreams) {
        out += upstream.host + " at " + upstream.address + '\n';
        for (auto const& fact : upstream.facts) out += paragraph("  - ", fact);
        for (auto const& finding : upstream.findings) out += finding_as_text(finding);
        out += '\n';
    }
    for (auto const& line : report.skipped) out += paragraph("", line);
    auto const problems = report.count(Weight::problem);
    auto const notes = report.count(Weight::note);
    out += counted(report.upstreams.size(), "upstream") + " examined: ";
    out += problems == 0 ? "nothing is wrong" : counted(problems, "problem");
    if (notes != 0) out += ", " + counted(notes, "note");
    return out + '\n';
}

std::string as_json(const DoctorReport& report) {
    json::object object;
    auto& upstreams = object["upstreams"].emplace_array();
    for (auto const& upstream : report.upstreams) {
        json::object one;
        one["host"] = upstream.host;
        one["address"] = upstream.address;
        one["facts"] = json::array(upstream.facts.begin(), upstream.facts.end());
        auto& findings = one["findings"].emplace_array();
        for (auto const& finding : upstream.findings) findings.push_back(finding_as_json(finding));
        upstreams.push_back(std::move(one));
    }
    object["skipped"] = json::array(report.skipped.begin(), report.skipped.end());
    object["problems"] = report.count(Weight::problem);
    object["notes"] = report.count(Weight::note);
    return json::serialize(object) + '\n';
}

}  // namespace stanzagate::proxy
