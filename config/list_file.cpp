#include "config/list_file.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "config/address.hpp"
#include "config/whole_file.hpp"

namespace stanzagate::config {
namespace {

std::string what_is_wrong(std::string_view entry) {
    if (const auto meant = Network::enclosing(entry))
        return in_quotes(entry) +
               " has bits set beyond its prefix and is skipped; did you mean \"" +
               meant->to_string() + "\"?";
    return in_quotes(entry) + " is not an address or network and is skipped";
}

std::string of_the_rest(std::size_t lines) {
    if (lines == 1) return "from here on 1 more line is not an address or network and is skipped";
    return "from here on " + std::to_string(lines) +
           " more lines are not an address or network and are skipped";
}

class ListReader {
public:
    ListReader(const std::string& file, Diagnostics& diagnostics)
        : file_(file), diagnostics_(diagnostics) {}

    std::vector<Network> read(std::string_view text) {
        constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
        if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
        for (int line = 1; !text.empty(); ++line) {
            const std::size_t end = std::min(text.find('\n'), text.size());
            read_line(text.substr(0, end), line);
            text.remove_prefix(std::min(end + 1, text.size()));
        }
        if (broken_ > most_list_file_warnings)
            diagnostics_.warning(first_of_the_rest_,
                                 of_the_rest(broken_ - most_list_file_warnings));
        return std::move(networks_);
    }

private:
    void read_line(std::string_view line, int number) {
        constexpr std::string_view blank = " \t\r";
        const std::size_t begin = line.find_first_not_of(blank);
        if (begin == std::string_view::npos || line[begin] == '#') return;
        std::string_view entry = line.substr(begin, line.find('#', begin) - begin);
        entry = entry.substr(0, entry.find_last_not_of(blank) + 1);
        if (const auto network = Network::parse(entry)) {
            networks_.push_back(*network);
            return;
        }
        // A key file that is named here by mistake: its lines are for nobody's log.
        if (entry.starts_with("-----BEGIN")) is_pem_ = true;
        ++broken_;
        if (broken_ > most_list_file_warnings + 1) return;
        Position where{file_, number, static_cast<int>(begin) + 1};
        if (broken_ <= most_list_file_warnings)
            diagnostics_.warning(std::move(where),
                                 is_pem_
                                     ? "a line of what looks like a key or certificate is not an "
                                       "address or network and is skipped"
                                     : what_is_wrong(entry));
        else
            first_of_the_rest_ = std::move(where);
    }

    const std::string& file_;
    Diagnostics& diagnostics_;
    std::vector<Network> networks_;
    std::size_t broken_ = 0;
    bool is_pem_ = false;
    Position first_of_the_rest_;
};

}  // namespace

std::optional<NetworkSet> read_list_file(const std::filesystem::path& path,
                                         const Position& named_at, Diagnostics& diagnostics) {
    auto file = read_whole_file(path, most_list_file_bytes);
    if (const auto* const unreadable = std::get_if<Unreadable>(&file)) {
        diagnostics.error(named_at, "the list " + in_quotes(path.string()) +
                                        " cannot be read: " + unreadable->why);
        return std::nullopt;
    }
    std::vector<Network> networks;
    {
        const std::string text = std::get<std::string>(std::move(file));
        networks = ListReader(path.string(), diagnostics).read(text);
    }
    return NetworkSet(std::move(networks));
}

NetworkSet parse_list(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
    return NetworkSet(ListReader(file, diagnostics).read(text));
}

}  // namespace stanzagate::config
