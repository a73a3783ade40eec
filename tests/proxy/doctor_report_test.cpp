#include "proxy/doctor_report.hpp"

#include <gtest/gtest.h>

namespace stanzagate::proxy {
namespace {

DoctorReport report() {
    Finding problem{Finding::Weight::problem, "compression",     "the server offers it",
                    "<compression/>",         "It is obsolete.", {}};
    auto& setting = problem.set.emplace_back();
    setting.where = "ejabberd";
    setting.lines.emplace_back("zlib: false");
    setting.lines.emplace_back("# \"quoted\"");
    Finding const note{Finding::Weight::note, "stanza-size", "small", "9", "why", {}};
    DoctorReport made;
    auto& upstream = made.upstreams.emplace_back();
    upstream.host = "example.org";
    upstream.address = "tcp://192.0.2.10:15222";
    upstream.facts.emplace_back("answers");
    upstream.findings = {problem, note};
    made.skipped.emplace_back("*: not examined");
    return made;
}

TEST(DoctorReport, AsText) {
    EXPECT_EQ(as_text(report()),
              "example.org at tcp://192.0.2.10:15222\n"
              "  - answers\n"
              "  problem: the server offers it\n"
              "    seen: <compression/>\n"
              "    why:  It is obsolete.\n"
              "    set:  ejabberd:\n"
              "            zlib: false\n"
              "            # \"quoted\"\n"
              "  note: small\n"
              "    seen: 9\n"
              "    why:  why\n"
              "\n"
              "*: not examined\n"
              "1 upstream examined: 1 problem, 1 note\n");
}

TEST(DoctorReport, AsJson) {
    EXPECT_EQ(as_json(report()),
              R"({"upstreams":[{"host":"example.org","address":"tcp://192.0.2.10:15222",)"
              R"("facts":["answers"],"findings":[{"id":"compression","weight":"problem",)"
              R"("what":"the server offers it","seen":"<compression/>","why":"It is obsolete.",)"
              R"("set":[{"where":"ejabberd","lines":["zlib: false","# \"quoted\""]}]},)"
              R"({"id":"stanza-size","weight":"note","what":"small","seen":"9","why":"why",)"
              R"("set":[]}]}],"skipped":["*: not examined"],"problems":1,"notes":1})"
              "\n");
}

TEST(DoctorReport, BreaksLongLines) {
    auto made = report();
    made.upstreams[0].findings.resize(1);
    std::string const word(40, 'w');
    made.upstreams[0].findings[0].why = word + ' ' + word + ' ' + word;
    auto const text = as_text(made);
    EXPECT_NE(text.find("    why:  " + word + ' ' + word + "\n          " + word + '\n'),
              std::string::npos)
        << text;
}

TEST(DoctorReport, SaysThatNothingIsWrong) {
    DoctorReport made;
    made.upstreams.push_back({"a", "tcp://b:1", {}, {}});
    made.upstreams.push_back({"b", "tcp://b:1", {}, {}});
    EXPECT_EQ(as_text(made),
              "a at tcp://b:1\n\nb at tcp://b:1\n\n2 upstreams examined: nothing is wrong\n");
}

}  // namespace
}  // namespace stanzagate::proxy
