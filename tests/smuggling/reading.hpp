#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

// What an XML reader makes of a stream, for comparison between readers.
namespace stanzagate::smuggling {

struct Tree {
    std::string ns;
    std::string local;
    std::map<std::string, std::string> attributes;  // by "namespace\nname", or "name"
    std::string text;                               // before the first child
    std::vector<Tree> children;
    std::string tail;  // text behind it, in its parent
};

// In the manner of tests/filters/canonical.hpp.
std::string to_text(const Tree& tree);

struct Reading {
    std::vector<Tree> elements;  // of the first level, whole ones
    std::string error;           // why the reader stopped; empty: it read to the end
};

// Collects events into a Reading.
class TreeBuilder {
public:
    void start(std::string ns, std::string local, std::map<std::string, std::string> attributes);
    void end();
    void text(std::string_view characters);

    Reading reading;

private:
    unsigned depth_ = 0;
    Tree element_;             // of the first level, in progress
    std::vector<Tree*> open_;  // it, and what is open in it
};

// The SAX2 interface of libxml2's push parser.
Reading read_with_libxml2(std::string_view stream);
// Xerces-C's SAX2 parser.
Reading read_with_xerces(std::string_view stream);

}  // namespace stanzagate::smuggling
