#pragma once

#include <string>
#include <vector>

// Streams that were made to be read in two ways: streams/*.txt.
//   # what it is
//   [name] what the gate makes of it
//   the stream, on one line or more, which are joined
// \xNN, \n, \r and \t are bytes. $H is a usual stream header behind an XML declaration, $h one
// without; $R is a request to register, $P a harmless <presence id='after'/>, $C closes the stream.
// What the gate makes of it when a stranger sends it: "ok" or the stream error that it ends with,
// then how many of the elements are forwarded, and how many answered: "ok 2 answered 1". A server
// that may not read all of it, does not read it the same, or by its answers lets more of it pass,
// is named last: "but ejabberd stops", "but ejabberd differs", "but ejabberd answers"; why this
// does not matter is said above.
namespace stanzagate::smuggling {

struct Stream {
    std::string name;
    std::string verdict;
    std::string but;  // "ejabberd stops", or empty
    std::string bytes;
};

// Throws std::runtime_error, with file and line, where a file is not written like that.
std::vector<Stream> corpus();

}  // namespace stanzagate::smuggling
