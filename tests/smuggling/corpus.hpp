#pragma once

#include <string>
#include <string_view>
#include <vector>

// Streams that were made to be read in two ways: streams/*.txt.
//   # what it is
//   [name] what the gate makes of it
//   the stream, on one line or more, which are joined
// \xNN, \n, \r and \t are bytes. $H is a usual stream header behind an XML declaration, $h one
// without; $R is a request to register, $P a harmless <presence id='after'/>, $C closes the stream.
// What the gate makes of it when a stranger sends it: "ok" or the stream error that it ends with,
// then how many of the elements are forwarded, and how many answered: "ok 2 answered 1". Readers of
// another family that stop short, because they are stricter, are named last: "but xerces stops".
namespace stanzagate::smuggling {

struct Stream {
    std::string name;
    std::string verdict;  // without the readers that stop short
    std::string stops;    // their names, each with a space before it
    std::string bytes;

    bool may_stop(std::string_view reader) const {
        return stops.find(" " + std::string(reader)) != std::string::npos;
    }
};

// Throws std::runtime_error, with file and line, where a file is not written like that.
std::vector<Stream> corpus();

}  // namespace stanzagate::smuggling
