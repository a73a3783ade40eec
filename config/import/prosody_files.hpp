#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostics.hpp"

namespace stanzagate::config {

// The files that make up a Prosody configuration: the one that was named and those it includes.
// Reads nothing outside of the folder of the first, wherever symbolic links lead, and no more than
// a few files of moderate size. Files have numbers, from 1 in the order they were opened.
class ProsodyFiles {
public:
    struct Opened {
        int number = 0;        // 0: it was not opened
        std::string problem;   // why not
        bool outside = false;  // it was not looked at, since it is not in the folder
    };

    explicit ProsodyFiles(const std::filesystem::path& file);

    Opened open_first();
    // As the file with the number `from` names it: relative to where that stands.
    Opened open(int from, std::string_view path);
    struct Matching {
        std::vector<std::string> paths;  // for open(), sorted
        std::string problem;             // why their folder cannot be read
    };
    // Wildcards may stand in the last part only, as in Prosody; they take no file whose name starts
    // with a dot.
    Matching matching(int from, std::string_view pattern) const;

    const std::string& text(int number) const { return files_.at(index(number)).text; }
    // Lua knows only in which line an assignment ends, or a call begins that has it as an argument.
    enum class Search { up, down };
    // A line of a file. Where an option is named: where it is assigned, from that line on.
    Position position(int number, int line, std::string_view option = {},
                      Search search = Search::up) const;
    // The folder as the operator named it.
    const std::filesystem::path& folder() const { return folder_; }

private:
    struct File {
        std::filesystem::path path;
        std::string text;
    };

    static std::size_t index(int number) { return static_cast<std::size_t>(number) - 1; }
    Opened read(const std::filesystem::path& path);
    std::filesystem::path resolved(int from, std::string_view path) const;

    std::filesystem::path first_;
    std::filesystem::path folder_;
    std::filesystem::path real_folder_;
    std::vector<File> files_;
};

}  // namespace stanzagate::config
