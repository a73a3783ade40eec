#include "certs/ticket_keys.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

#include "certs/openssl_ptr.hpp"
#include "config/whole_file.hpp"

namespace stanzagate::certs {
namespace {

constexpr std::size_t largest_file = std::size_t{64} * 1024;
constexpr std::string_view how_to_make = "\"openssl rand 80 | base64 -w 0\" makes one";

TicketKey random_key() {
    TicketKey key;
    if (RAND_priv_bytes(key.bytes.data(), static_cast<int>(key.bytes.size())) != 1)
        throw std::runtime_error("no randomness for ticket keys: " + drain_openssl_errors());
    return key;
}

// How many bytes `text` is base64 of; nullopt where it is none. They are in `to`, which has room
// for three quarters of the text.
std::optional<std::size_t> decode(std::string_view text, std::vector<unsigned char>& to) {
    const auto end = text.find_last_not_of('=');
    const std::size_t padding = text.size() - (end == std::string_view::npos ? 0 : end + 1);
    if (text.empty() || text.size() % 4 != 0 || padding > 2) return std::nullopt;
    to.resize(text.size() / 4 * 3);
    const int size = EVP_DecodeBlock(to.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    return static_cast<std::size_t>(size) - padding;
}

// Reads the lines of a file of keys.
class KeyReader {
public:
    KeyReader(const std::filesystem::path& file, config::Diagnostics& diagnostics)
        : file_(file.string()), diagnostics_(diagnostics) {}
    ~KeyReader() { OPENSSL_cleanse(decoded_.data(), decoded_.size()); }
    KeyReader(const KeyReader&) = delete;
    KeyReader& operator=(const KeyReader&) = delete;

    // False where a line is wrong.
    bool read(std::string_view text) {
        // Growing would leave copies behind, which are not wiped.
        keys_.reserve(static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1);
        decoded_.reserve(largest_file);
        for (int line = 1; !text.empty(); ++line) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            read_line(text.substr(0, end), line);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        return right_;
    }
    std::vector<TicketKey> take() { return std::move(keys_); }

private:
    void read_line(std::string_view line, int number) {
        constexpr std::string_view blank = " \t\r";
        line = line.substr(0, line.find('#'));
        const std::size_t begin = line.find_first_not_of(blank);
        if (begin == std::string_view::npos) return;
        const std::string_view entry = line.substr(begin, line.find_last_not_of(blank) + 1 - begin);
        const auto error = [&](const std::string& message) {
            right_ = false;
            diagnostics_.error({file_, number, static_cast<int>(begin) + 1},
                               "server.ticket_keys: " + message);
        };
        const auto size = decode(entry, decoded_);
        if (!size) return error("this line is not base64; " + std::string(how_to_make));
        if (*size != TicketKey::size)
            return error("a key has 80 bytes, and this one " + std::to_string(*size) + "; " +
                         std::string(how_to_make));
        TicketKey key;
        std::copy_n(decoded_.begin(), TicketKey::size, key.bytes.begin());
        const auto [first, is_new] =
            lines_.emplace(std::string(key.name().begin(), key.name().end()), number);
        if (!is_new)
            return error("begins with the same 16 bytes as the key in line " +
                         std::to_string(first->second) + ", and could not be told from it");
        keys_.push_back(key);
    }

    std::string file_;
    config::Diagnostics& diagnostics_;
    std::vector<unsigned char> decoded_;
    std::vector<TicketKey> keys_;
    std::map<std::string, int> lines_;  // by the keys' names
    bool right_ = true;
};

void warn_of_rights(const std::filesystem::path& file, const config::Position& where,
                    config::Diagnostics& diagnostics) {
    using std::filesystem::perms;
    std::error_code error;
    const auto rights = std::filesystem::status(file, error).permissions();
    if (error || (rights & (perms::others_read | perms::others_write)) == perms::none) return;
    diagnostics.warning(where, "server.ticket_keys: " + config::in_quotes(file.string()) +
                                   " is open to every user of this machine, and who has it can "
                                   "read what clients resume: chmod o= it");
}

}  // namespace

TicketKey::~TicketKey() {
    OPENSSL_cleanse(bytes.data(), bytes.size());
}

TicketKeys TicketKeys::generate() {
    return {std::make_shared<const Keys>(1, random_key()), 0};
}

TicketKeys TicketKeys::rotated() const {
    return {std::make_shared<const Keys>(Keys{random_key(), sealing()}), 0};
}

std::optional<TicketKeys> TicketKeys::load(const std::filesystem::path& file,
                                           const config::Position& where,
                                           config::Diagnostics& diagnostics) {
    auto read = config::read_whole_file(file, largest_file);
    if (const auto* const unreadable = std::get_if<config::Unreadable>(&read)) {
        diagnostics.error(where, "server.ticket_keys: cannot read " +
                                     config::in_quotes(file.string()) + ": " + unreadable->why);
        return std::nullopt;
    }
    auto& text = std::get<std::string>(read);
    auto keys = parse(text, file, where, diagnostics);
    OPENSSL_cleanse(text.data(), text.size());
    if (keys) warn_of_rights(file, where, diagnostics);
    return keys;
}

std::optional<TicketKeys> TicketKeys::parse(std::string_view text,
                                            const std::filesystem::path& file,
                                            const config::Position& where,
                                            config::Diagnostics& diagnostics) {
    KeyReader reader(file, diagnostics);
    if (!reader.read(text)) return std::nullopt;
    auto keys = std::make_shared<const Keys>(reader.take());
    if (keys->empty()) {
        diagnostics.error(where, "server.ticket_keys: no key in " +
                                     config::in_quotes(file.string()) + "; " +
                                     std::string(how_to_make));
        return std::nullopt;
    }
    const std::size_t sealing = keys->size() == 1 ? 0 : keys->size() - 2;
    return TicketKeys(std::move(keys), sealing);
}

const TicketKey* TicketKeys::find(std::span<const unsigned char, 16> name) const {
    const auto found = std::ranges::find_if(
        *keys_, [&](const TicketKey& key) { return std::ranges::equal(key.name(), name); });
    return found == keys_->end() ? nullptr : &*found;
}

bool TicketKeys::operator==(const TicketKeys& other) const {
    return sealing_ == other.sealing_ &&
           std::ranges::equal(*keys_, *other.keys_, {}, &TicketKey::bytes, &TicketKey::bytes);
}

}  // namespace stanzagate::certs
