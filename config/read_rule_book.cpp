// The `rules` keys of the main file: which rule files they stand for. Each file is read once,
// however many hosts name it.
#include <algorithm>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "config/path_pattern.hpp"
#include "config/rule_keys.hpp"

namespace stanzagate::config {
namespace {

namespace fs = std::filesystem;

// One order for each `rules` key. Hosts without one of their own share the global one.
std::vector<RuleOrder> collect_orders(const RegistrationKeys& global,
                                      const std::vector<RegistrationKeys>& merged,
                                      Diagnostics& diagnostics) {
    std::vector<RuleOrder> orders;
    std::map<Position, std::size_t> places;
    const auto order_of = [&](const auto& key) -> RuleOrder& {
        const auto [place, is_new] = places.emplace(key.where, orders.size());
        if (is_new) orders.emplace_back().key = key;
        return orders[place->second];
    };
    if (global.rules) order_of(*global.rules);
    for (std::size_t host = 0; host < merged.size(); ++host)
        if (merged[host].rules) order_of(*merged[host].rules).hosts.push_back(host);
    for (const RuleOrder& order : orders)
        if (order.hosts.empty() && !merged.empty())
            diagnostics.warning(
                order.key.where,
                order.key.key + ": no host uses these rules: each has its own list of files");
    return orders;
}

class BookReader {
public:
    BookReader(RuleBook& book, std::vector<NamedList>& lists, const Reading& reading)
        : book_(book), lists_(lists), reading_(reading) {}

    void read(RuleOrder& order) {
        for (const auto& [pattern, where] : order.key.value.value_or(Patterns())) {
            for (const fs::path& file : files_of(pattern, where, order.key.key)) {
                const std::size_t place = place_of(file);
                // Named again, by a wider pattern: it stays where it was first.
                if (std::ranges::find(order.files, place) == order.files.end())
                    order.files.push_back(place);
            }
        }
    }

private:
    using Patterns = std::vector<Located<std::string>>;

    std::vector<fs::path> files_of(const std::string& pattern, const Position& where,
                                   const std::string& key) {
        Diagnostics& diagnostics = reading_.diagnostics;
        if (pattern.empty() || pattern.find('\0') != std::string::npos) {
            diagnostics.error(where,
                              key + ": " + in_quotes(pattern) + " is not the path of a file");
            return {};
        }
        if (!has_wildcard(pattern)) {
            fs::path file = reading_.folder / pattern;
            std::error_code ignored;
            if (fs::status(file, ignored).type() != fs::file_type::not_found) return {file};
            diagnostics.error(where, key + ": there is no file " + in_quotes(file.string()));
            return {};
        }
        Matches matches = match_files(reading_.folder, pattern);
        for (const std::string& fault : matches.faults)
            diagnostics.error(where, key + ": " + in_quotes(pattern) +
                                         " cannot be looked for: " + one_line(fault));
        if (matches.files.empty() && matches.faults.empty())
            diagnostics.warning(where, key + ": " + in_quotes(pattern) + " matches no file");
        return std::move(matches.files);
    }

    std::size_t place_of(const fs::path& file) {
        std::error_code error;
        fs::path same = fs::weakly_canonical(file, error);
        if (error) same = file;
        const auto [place, is_new] = places_.emplace(std::move(same), book_.files.size());
        if (is_new) book_.files.push_back(read_rule_file(file, lists_, reading_.diagnostics));
        return place->second;
    }

    RuleBook& book_;
    std::vector<NamedList>& lists_;
    const Reading& reading_;
    std::map<fs::path, std::size_t> places_;
};

}  // namespace

RuleBook read_rule_book(Config& config, const RegistrationKeys& global,
                        const std::vector<RegistrationKeys>& merged, const Reading& reading) {
    RuleBook book;
    book.orders = collect_orders(global, merged, reading.diagnostics);
    BookReader reader(book, config.lists, reading);
    for (RuleOrder& order : book.orders) reader.read(order);
    return book;
}

}  // namespace stanzagate::config
