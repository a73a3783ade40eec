#include "filters/stanza_framer.hpp"

#include <algorithm>
#include <utility>

#include "filters/expat_parser.hpp"
#include "filters/xml_escape.hpp"

namespace stanzagate::filters {
namespace {

// Expat keeps as much as it was ever given at once, for as long as it lives, and that is as long as
// a session over WebSocket or BOSH. Text it is done with piece by piece; a token that is longer it
// looks at again with each.
constexpr std::size_t longest_piece = std::size_t{8} * 1024;

// What is worth keeping for the next frame.
constexpr std::size_t usual_frame = 1024;

}  // namespace

StanzaFramer::StanzaFramer(const FrameLimits& limits) : limits_(limits) {}
StanzaFramer::~StanzaFramer() = default;

void StanzaFramer::feed(std::string_view bytes) {
    // Nothing comes of it any more, so it must not pile up.
    if (error_ || (parser_ && parser_->finished())) return;
    start_ += std::exchange(taken_, 0);
    let_parser_catch_up();
    auto const unneeded = std::min(start_, fed_);
    buffer_.erase(0, unneeded);
    start_ -= unneeded;
    fed_ -= unneeded;
    due_ -= std::min(due_, unneeded);
    searched_ -= std::min(searched_, unneeded);
    buffer_ += bytes;
}

const Frame* StanzaFramer::next() {
    start_ += std::exchange(taken_, 0);
    check_first_bytes();
    if (error_ || (parser_ && parser_->finished())) return nullptr;
    if (!take_filler() && !parse_some()) {
        let_go_of_buffer();
        return nullptr;
    }
    taken_ = frame_.raw.size();
    return &frame_;
}

// One stanza that was large would cost its size for as long as the stream goes on.
void StanzaFramer::let_go_of_buffer() {
    if (fed_ != buffer_.size() || start_ != fed_ || buffer_.capacity() <= usual_frame) return;
    std::string().swap(buffer_);  // an assignment would keep the memory
    frame_ = Frame{};
    start_ = fed_ = due_ = searched_ = 0;
}

std::string_view StanzaFramer::rest() const {
    return std::string_view(buffer_).substr(start_ + taken_);
}

// White space between first-level elements is a frame of its own, at once: it is how peers find out
// that the other is still there (RFC 6120 section 4.6.1). The parser sees it later.
bool StanzaFramer::take_filler() {
    if (!parser_ || !parser_->between_frames()) return false;
    auto const end = std::find_if_not(buffer_.begin() + static_cast<std::ptrdiff_t>(start_),
                                      buffer_.end(), is_xml_space) -
                     buffer_.begin();
    auto const size = static_cast<std::size_t>(end) - start_;
    if (size == 0) return false;
    frame_ = Frame{};
    frame_.raw = std::string_view(buffer_).substr(start_, size);
    return true;
}

// Gives the parser bytes until it has a frame; true when it has. It gets whole chunks up to a '>',
// since nothing else can end a frame and every look at an unfinished token costs its whole length
// again; these in pieces where they are long; and never a byte beyond the frame's limit.
bool StanzaFramer::parse_some() {
    if (!parser_) parser_ = std::make_unique<ExpatParser>(limits_);
    auto const window_end = std::min(buffer_.size(), start_ + limits_.frame_bytes);
    for (;;) {
        parser_->expect_frame_at(parser_->bytes_given() - fed_ + start_);
        auto outcome = ExpatParser::Outcome::more;
        if (parser_->suspended()) {
            outcome = parser_->resume();
        } else {
            auto const window = std::string_view(buffer_).substr(0, window_end);
            if (fed_ >= due_) {
                auto const end = end_of_chunk(window);
                if (end == std::string_view::npos) break;
                due_ = end;
            }
            auto const piece = window.substr(fed_, std::min(due_ - fed_, longest_piece));
            fed_ += piece.size();
            outcome = parser_->parse(piece);
        }
        note_unfinished_token();
        if (outcome == ExpatParser::Outcome::failed) {
            auto const seen =
                std::string_view(buffer_).substr(start_, fed_ - std::min(fed_, start_));
            fail(parser_->explain_failure(seen));
            return false;
        }
        if (outcome == ExpatParser::Outcome::frame) {
            frame_ = parser_->take_frame();
            frame_.raw = std::string_view(buffer_).substr(start_, parser_->frame_size());
            return true;
        }
    }
    if (buffer_.size() - start_ > limits_.frame_bytes) {
        too_big_ = true;
        fail(StreamErrorCondition::policy_violation);
    }
    return false;
}

// Behind the last '>' of the window that may be of use to the parser and that it has not been
// given; npos: there is none.
std::size_t StanzaFramer::end_of_chunk(std::string_view window) {
    auto unsearched = std::max(fed_, searched_);
    if (unfinished_ && !unfinished_->worth_a_look()) {
        auto const begin = fed_ - (parser_->bytes_given() - unfinished_->begin());
        auto const token = window.substr(begin);
        auto end = unfinished_->find_end(token);
        while (end < fed_ - begin) end = unfinished_->find_end(token);
        if (end == std::string_view::npos) return end;
        unsearched = begin + end;
    }
    auto const last = window.substr(std::min(unsearched, window.size())).rfind('>');
    searched_ = std::max(unsearched, window.size());
    return last == std::string_view::npos ? last : unsearched + last + 1;
}

void StanzaFramer::note_unfinished_token() {
    auto const begin = parser_->unfinished_token();
    if (begin >= parser_->bytes_given())
        unfinished_.reset();
    else if (!unfinished_ || unfinished_->begin() != begin)
        unfinished_.emplace(begin);
    if (unfinished_) unfinished_->looked_at();
}

// Filler may have been handed out before the parser saw it. It must not pile up here.
void StanzaFramer::let_parser_catch_up() {
    if (error_ || !parser_ || fed_ >= start_) return;
    parser_->expect_frame_at(parser_->bytes_given() - fed_ + start_);
    if (parser_->suspended()) static_cast<void>(parser_->resume());
    static_cast<void>(parser_->parse(std::string_view(buffer_).substr(fed_, start_ - fed_)));
    fed_ = start_;
}

// Expat finds out by itself that a stream is UTF-16, whatever it was told, and skips a BOM without
// a word. Neither is XMPP (RFC 6120 section 11.6), so they are turned away before it sees them.
void StanzaFramer::check_first_bytes() {
    if (first_bytes_checked_ || error_ || buffer_.empty()) return;
    auto const first = static_cast<unsigned char>(buffer_[0]);
    if (first == 0xFE || first == 0xFF || first == 0)
        return fail(StreamErrorCondition::unsupported_encoding);
    if (first != '<' && !is_xml_space(buffer_[0]))
        return fail(StreamErrorCondition::not_well_formed);
    if (buffer_.size() < 2) return;
    if (buffer_[1] == '\0') return fail(StreamErrorCondition::unsupported_encoding);
    first_bytes_checked_ = true;
}

void StanzaFramer::fail(StreamErrorCondition condition) {
    error_ = condition;
}

std::string_view written_name(std::string_view start_tag) {
    auto const begin = start_tag.find('<') + 1;
    auto const end = start_tag.find_first_of(" \t\r\n/>", begin);
    return start_tag.substr(begin, end - begin);
}

}  // namespace stanzagate::filters
