#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stanzagate::config {

// A place in a file an operator wrote. Line and column count from 1; 0 means "the file as a whole".
struct Position {
    std::string file;
    int line = 0;
    int column = 0;

    auto operator<=>(const Position&) const = default;
};

enum class Severity { warning, error };

struct Diagnostic {
    Severity severity = Severity::error;
    Position where;
    std::string message;

    // "stanzagate.toml:2:15: error: limits.stanza_size: must be ...". A position without a line is
    // written with 1:1, so that the form never varies.
    std::string to_string() const;
};

// Everything that is wrong, or likely a mistake, in what an operator wrote: all of it, not the
// first. Whoever reads input adds to it and goes on; whoever asked for the reading looks at
// has_errors() once, at the end.
class Diagnostics {
public:
    void error(Position where, std::string message);
    void warning(Position where, std::string message);
    void add(Diagnostic diagnostic);

    bool has_errors() const { return errors_ > 0; }
    const std::vector<Diagnostic>& all() const { return all_; }
    // Sorted by file, line and column; entries of one place stay in the order they were added.
    std::vector<Diagnostic> sorted() const;

private:
    std::vector<Diagnostic> all_;
    std::size_t errors_ = 0;
};

// What a file holds, inside a message: control characters and what is no UTF-8 are shown by their
// bytes ("\x1b"), so that it stays one line and text, and commands no terminal, whatever it quotes.
std::string one_line(std::string_view text);
// The same between quotation marks; a very long text is cut.
std::string in_quotes(std::string_view text);
// "a, b and c", where `last` is " and ".
std::string enumeration(std::span<const std::string> words, std::string_view last);

}  // namespace stanzagate::config
