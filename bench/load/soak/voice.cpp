#include "bench/load/soak/voice.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>

#include "bench/load/bosh.hpp"

namespace stanzagate::load {
namespace {

constexpr std::size_t kib = 1024;

// SplitMix64, by Sebastiano Vigna: enough for a text that nobody can guess by accident.
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        state_ += 0x9e3779b97f4a7c15U;
        auto z = state_;
        z = (z ^ z >> 30U) * 0xbf58476d1ce4e5b9U;
        z = (z ^ z >> 27U) * 0x94d049bb133111ebU;
        return z ^ z >> 31U;
    }
    std::size_t below(std::size_t limit) { return next() % limit; }

private:
    std::uint64_t state_;
};

// 64 characters that need no escaping, of 1 to 4 bytes.
constexpr std::array<std::string_view, 64> characters{
    "a", "b", "c", "d", "e", "f", "g", "h", "i",  "j",  "k", "l", "m", "n",  "o",  "p",
    "q", "r", "s", "t", "u", "v", "w", "x", "y",  "z",  "A", "B", "C", "D",  "E",  "F",
    "0", "1", "2", "3", "4", "5", "6", "7", "8",  "9",  " ", ".", ",", ";",  "/",  "=",
    "ä", "ß", "é", "Ж", "ش", "ñ", "ø", "€", "語", "한", "ก", "–", "𝄞", "😀", "🧂", "𐍈"};

void append_text(std::string& to, std::size_t bytes, Numbers& numbers) {
    auto const end = to.size() + bytes;
    while (to.size() < end) {
        auto word = numbers.next();
        for (int i = 0; i < 10 && to.size() < end; ++i, word >>= 6U) to += characters[word & 63U];
    }
}

void append_bytes(std::string& to, std::size_t bytes, Numbers& numbers) {
    for (auto left = bytes; left > 0;) {
        auto word = numbers.next();
        for (auto n = std::min<std::size_t>(left, 8); n > 0; --n, --left, word >>= 8U)
            to += static_cast<char>(word & 0xffU);
    }
}

// Mostly short, sometimes long: what people and their clients send.
std::size_t length(Voice::Kind kind, Numbers& numbers) {
    if (kind == Voice::Kind::bulk) return 8 * kib + numbers.below(40 * kib);
    if (numbers.below(64) == 0) return 16 * kib + numbers.below(48 * kib);
    auto const least = std::size_t{8} << numbers.below(10);
    return least + numbers.below(least);
}

std::uint64_t number_in(std::string_view text, std::string_view name) {
    auto const value = bosh_attribute(text, name);
    return value.empty() ? 0 : std::stoull(std::string(value));
}

std::string place(const Tally& heard, std::size_t at, std::size_t size) {
    return "stanza " + std::to_string(heard.stanzas) + " at byte " + std::to_string(at) + " of " +
           std::to_string(size) + " (byte " + std::to_string(heard.bytes) + " of all)";
}

}  // namespace

void Tally::add(std::string_view some) {
    bytes += some.size();
    for (char const c : some) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
}

Voice::Voice(std::uint64_t seed, std::uint64_t session, Kind kind, End end)
    : seed_(Numbers(seed ^ Numbers(session * 2 + (end == End::client ? 0 : 1)).next()).next()),
      session_(session),
      kind_(kind),
      end_(end) {}

// It declares all that it would inherit from a stream, so that it passes a WebSocket and BOSH as it
// is: what stands by itself there has to say it.
std::string Voice::stanza(std::uint64_t number) const {
    Numbers numbers(seed_ + number * 0x632be59bd9b4e019U);
    auto text = std::string("<message xmlns='jabber:client' xmlns:stream='") +
                "http://etherx.jabber.org/streams' xml:lang='en' id='" + std::to_string(session_) +
                (end_ == End::client ? "-c-" : "-s-") + std::to_string(number) + "'><body>";
    auto const size = length(kind_, numbers);
    text.reserve(text.size() + size + 32);
    if (kind_ == Kind::text || numbers.below(2) == 0)
        append_text(text, size, numbers);
    else
        append_bytes(text, size, numbers);
    return text += "</body></message>";
}

std::string last_words(const Last& last) {
    return "<iq xmlns='jabber:client' type='set' id='last' how='" + last.how + "' stanzas='" +
           std::to_string(last.said.stanzas) + "' bytes='" + std::to_string(last.said.bytes) +
           "' digest='" + std::to_string(last.said.digest) + "'><last xmlns='urn:soak'/></iq>";
}

std::uint64_t Ear::hear(std::string_view bytes) {
    auto const before = heard_.stanzas;
    while (!bytes.empty()) {
        if (last_)
            bytes = hear_end(bytes);
        else
            bytes = last_words_.empty() ? compare(bytes) : hear_last(bytes);
    }
    return heard_.stanzas - before;
}

std::string_view Ear::compare(std::string_view bytes) {
    if (expected_.empty()) expected_ = voice_.stanza(heard_.stanzas);
    auto const size = std::min(bytes.size(), expected_.size() - at_);
    auto const* const wanted = expected_.data() + at_;
    auto const differs = static_cast<std::size_t>(
        std::mismatch(bytes.begin(), bytes.begin() + size, wanted).first - bytes.begin());
    // <iq instead of <message: the last words.
    if (differs < size && at_ + differs == 1 && bytes[differs] == 'i') {
        last_words_ += '<';
        if (at_ == 1) heard_ = before_stanza_;
        return bytes.substr(differs);
    }
    if (differs < size) {
        std::array<char, 64> found{};
        std::snprintf(found.data(), found.size(), " is 0x%02x and not 0x%02x",
                      static_cast<unsigned>(static_cast<unsigned char>(bytes[differs])),
                      static_cast<unsigned>(static_cast<unsigned char>(wanted[differs])));
        heard_.bytes += differs;
        throw std::runtime_error(place(heard_, at_ + differs, expected_.size()) + found.data());
    }
    if (at_ == 0) before_stanza_ = heard_;
    heard_.add(bytes.substr(0, size));
    at_ += size;
    if (at_ == expected_.size()) {
        ++heard_.stanzas;
        at_ = 0;
        std::string().swap(expected_);
    }
    return bytes.substr(size);
}

std::string_view Ear::hear_last(std::string_view bytes) {
    constexpr std::string_view end = "</iq>";
    last_words_ += bytes;
    auto const found = last_words_.find(end);
    if (found == std::string::npos) return {};
    auto const left = last_words_.size() - (found + end.size());
    last_words_.resize(found + end.size());
    last_.emplace(Last{std::string(bosh_attribute(last_words_, "how")),
                       {number_in(last_words_, "stanzas"), number_in(last_words_, "bytes"),
                        number_in(last_words_, "digest")}});
    std::string().swap(expected_);
    return bytes.substr(bytes.size() - left);
}

std::string_view Ear::hear_end(std::string_view bytes) {
    if (!end_.starts_with(bytes))
        throw std::runtime_error("after the last words comes " + std::string(bytes.substr(0, 80)));
    end_.remove_prefix(bytes.size());
    return {};
}

}  // namespace stanzagate::load
