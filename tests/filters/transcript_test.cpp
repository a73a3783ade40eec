#include "tests/filters/transcript.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

// Plays every transcript in tests/transcripts against a Gate, in every way to cut the bytes; and
// again with a WebSocket and a BOSH client.
namespace stanzagate::filters {
namespace {

struct Scene {
    std::string name;
    Transcript transcript;
};

std::ostream& operator<<(std::ostream& out, const Scene& scene) {
    return out << scene.name;
}

std::vector<Scene> all_scenes() {
    std::vector<Scene> scenes;
    auto const folder = std::filesystem::path(STANZAGATE_SOURCE_DIR) / "tests" / "transcripts";
    for (auto const& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".txt") continue;
        for (auto& transcript : Transcript::read(entry.path())) {
            auto name = entry.path().stem().string() + "_" + transcript.name();
            std::replace_if(
                name.begin(), name.end(),
                [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
            scenes.push_back({std::move(name), std::move(transcript)});
        }
    }
    std::sort(scenes.begin(), scenes.end(),
              [](auto const& a, auto const& b) { return a.name < b.name; });
    return scenes;
}

using Reasons = std::map<std::string, std::string>;
// Why they cannot be played there, by their names.
constexpr const char* half_an_element = "half an element is no message";
constexpr const char* raw_bytes = "it is about bytes that are no elements";
constexpr const char* restart = "behind SASL's <success/> there must be a new stream";
constexpr const char* no_body = "what is not well-formed is no <body/>: bad-request";
constexpr const char* no_session = "there is no session before there is a session request";
constexpr const char* last_word = "with the end of one side's stream the session has ended";

const Reasons not_over_websocket{
    {"closing_cut_off_by_the_client", half_an_element},
    {"failing_timeout_in_a_session", half_an_element},
    {"iq_auth_a_success_without_an_exchange_is_not_it_either", restart},
    {"iq_auth_success_with_bytes_behind_it", raw_bytes},
    {"limits_an_error_before_any_header", half_an_element},
    {"sasl_a_request_that_nobody_answered_yet_does_not_matter", restart},
    {"sasl_nothing_is_looked_at_after_success", raw_bytes},
    {"sasl_success_that_nobody_asked_for", restart},
    {"sasl_success_with_bytes_behind_it", raw_bytes},
    {"sasl_the_client_does_not_wait_for_success", raw_bytes},
};
const Reasons not_over_bosh{
    {"closing_by_the_client", last_word},
    {"closing_by_the_client_with_its_connection", last_word},
    {"closing_by_the_server", last_word},
    {"closing_cut_off_by_the_client", half_an_element},
    {"closing_cut_off_by_the_client_while_it_waits_for_sasl", last_word},
    {"closing_nothing_is_answered_behind_the_closing_tag_of_the_server", last_word},
    {"failing_no_to", "the session request needs one: improper-addressing"},
    {"failing_one_error_is_enough", last_word},
    {"failing_the_upstream_dies_with_a_word", last_word},
    {"failing_timeout_before_anything", no_session},
    {"failing_timeout_in_a_session", half_an_element},
    {"iq_auth_a_success_without_an_exchange_is_not_it_either", restart},
    {"iq_auth_success_with_bytes_behind_it", raw_bytes},
    {"limits_a_comment_in_a_stanza", no_body},
    {"limits_a_second_header", "a restart that is not due: policy-violation"},
    {"limits_an_error_before_any_header", no_session},
    {"limits_an_error_pipelined_with_the_header", no_body},
    {"limits_bad_utf8_in_a_stanza", no_body},
    {"limits_good_ones_before_a_bad_one", no_body},
    {"limits_utf16", no_session},
    {"sasl_a_request_that_nobody_answered_yet_does_not_matter", restart},
    {"sasl_nothing_is_looked_at_after_success", raw_bytes},
    {"sasl_success_that_nobody_asked_for", restart},
    {"sasl_success_with_bytes_behind_it", raw_bytes},
    {"sasl_the_client_does_not_wait_for_success", raw_bytes},
};

class Transcripts : public testing::TestWithParam<Scene> {};

TEST_P(Transcripts, Play) {
    EXPECT_EQ(GetParam().transcript.play_in_every_way(), "");
}

// What cannot be said by a door fails there, too; else it would have to be taken off the list.
void play_by(ClientDoor door, const Scene& scene, const Reasons& cannot) {
    if (scene.transcript.is_for_tcp_only()) return;
    auto const what = scene.transcript.play_in_every_way(door);
    auto const reason = cannot.find(scene.name);
    if (reason == cannot.end())
        EXPECT_EQ(what, "");
    else
        EXPECT_NE(what, "") << "it can be played, though: " << reason->second;
}

TEST_P(Transcripts, PlayOverWebsocket) {
    play_by(ClientDoor::websocket, GetParam(), not_over_websocket);
}

TEST_P(Transcripts, PlayOverBosh) {
    play_by(ClientDoor::bosh, GetParam(), not_over_bosh);
}

TEST(TranscriptLists, NameTranscriptsThatThereAre) {
    auto const scenes = all_scenes();
    for (auto const* const list : {&not_over_websocket, &not_over_bosh})
        for (auto const& [name, reason] : *list)
            EXPECT_TRUE(std::any_of(scenes.begin(), scenes.end(), [&](auto const& scene) {
                return scene.name == name && !scene.transcript.is_for_tcp_only();
            })) << name;
}

INSTANTIATE_TEST_SUITE_P(Gate, Transcripts, testing::ValuesIn(all_scenes()),
                         [](auto const& suite) { return suite.param.name; });

}  // namespace
}  // namespace stanzagate::filters
