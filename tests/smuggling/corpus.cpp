#include "tests/smuggling/corpus.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string_view>

namespace stanzagate::smuggling {
namespace {

const std::string header =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    "to='example.org' version='1.0'>";

const std::map<char, std::string>& shorthands() {
    static const std::map<char, std::string> all{
        {'H', "<?xml version='1.0'?>" + header},
        {'h', header},
        {'R',
         "<iq type='set' id='reg'><query xmlns='jabber:iq:register'><username>eve</username>"
         "<password>pw</password></query></iq>"},
        {'P', "<presence id='after'/>"},
        {'C', "</stream:stream>"},
    };
    return all;
}

// What a backslash and what follows it stand for; `at` is put behind it.
char escaped(std::string_view line, std::size_t& at) {
    auto const kind = at < line.size() ? line[at++] : '\0';
    if (kind == 'n') return '\n';
    if (kind == 'r') return '\r';
    if (kind == 't') return '\t';
    auto const digits = line.substr(std::min(at, line.size()), 2);
    unsigned byte = 0;
    auto const* const last = digits.data() + digits.size();
    auto const [end, error] = std::from_chars(digits.data(), last, byte, 16);
    if (kind != 'x' || digits.size() != 2 || error != std::errc{} || end != last)
        throw std::runtime_error("an escape that is none");
    at += 2;
    return static_cast<char>(byte);
}

std::string spelled_out(std::string_view line) {
    std::string bytes;
    for (std::size_t at = 0; at < line.size();) {
        char const c = line[at++];
        if (c == '\\') {
            bytes += escaped(line, at);
        } else if (c == '$') {
            auto const found = shorthands().find(at < line.size() ? line[at] : '\0');
            if (found == shorthands().end()) throw std::runtime_error("a $ that is none");
            bytes += found->second;
            ++at;
        } else {
            bytes += c;
        }
    }
    return bytes;
}

Stream opened(const std::string& line) {
    auto const end = line.find("] ");
    if (end == std::string::npos) throw std::runtime_error("no [name] and verdict");
    Stream stream{line.substr(1, end - 1), line.substr(end + 2), "", ""};
    if (auto const but = stream.verdict.find(" but "); but != std::string::npos) {
        stream.but = stream.verdict.substr(but + 5);
        stream.verdict.resize(but);
    }
    return stream;
}

void read_file(const std::filesystem::path& path, std::vector<Stream>& streams) {
    std::ifstream file(path, std::ios::binary);
    std::string line;
    bool inside = false;
    for (unsigned number = 1; std::getline(file, line); ++number) try {
            if (line.empty() || line[0] == '#') {
                inside = false;
            } else if (inside) {
                streams.back().bytes += spelled_out(line);
            } else {
                streams.push_back(opened(line));
                inside = true;
            }
        } catch (const std::runtime_error& error) {
            throw std::runtime_error(path.string() + ":" + std::to_string(number) + ": " +
                                     error.what());
        }
}

}  // namespace

std::vector<Stream> corpus() {
    std::vector<std::filesystem::path> files;
    auto const folder = std::filesystem::path(STANZAGATE_SOURCE_DIR) / "tests/smuggling/streams";
    for (auto const& entry : std::filesystem::directory_iterator(folder))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::vector<Stream> streams;
    for (auto const& file : files) read_file(file, streams);
    return streams;
}

}  // namespace stanzagate::smuggling
