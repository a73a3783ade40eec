#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/filters/carried_session.hpp"
#include "tests/filters/splits.hpp"

namespace stanzagate::filters {

// A conversation through a Gate, written down. One step a line, # comments; a line that begins with
// white space goes on with the text of the one before. A file holds several, each behind a line
// "== name".
//
// First what it is about, all optional:
//   door starttls|secure              secure is the default
//   peer ADDRESS|unknown|whitelisted  the default is a stranger
//   config <<  ...TOML...  >>         everything but doors and hosts; see test_config.hpp
//   whole                             its meaning depends on what comes in one piece: never cut
// Then what happens:
//   client sends TEXT        upstream sends TEXT
//   client ends              upstream ends              (end of its byte stream)
//   upstream ready           upstream failed            (after `command connect`)
//   tls done                 timeout            drain
//   session                  a good header from the client, the upstream's header and features
// And what came of it; all that a side got since the last of these must be named:
//   client gets TEXT         upstream gets TEXT         "nothing" may be said, and is checked
//   anyway client gets stream-error CONDITION                  and nothing else; a header before,
//   if first command connect|start_tls|relay|close decided REQUEST ACTION RULE one registration
//   event, in order
//
// In TEXT: \n \r \t \\ \xHH, \(N*X) is X N times, "..." in what is got stands for anything.
class Transcript {
public:
    // All in the file; throws std::invalid_argument where it cannot be understood.
    static std::vector<Transcript> read(const std::filesystem::path& file);

    const std::string& name() const { return name_; }

    // Plays it; `cut` says in which pieces a side's bytes come. Behind another door than TCP, what
    // the client says and gets is what it is on TCP, in the words of that door. Empty, or what went
    // wrong and where.
    using Cut = std::function<Pieces(std::string_view bytes)>;
    std::string play(const Cut& cut, ClientDoor door = ClientDoor::tcp) const;
    // Whole, in pieces of many sizes, and in random ones.
    std::string play_in_every_way(ClientDoor door = ClientDoor::tcp) const;
    // The clear part of STARTTLS is there on TCP only.
    bool is_for_tcp_only() const { return starttls_; }

private:
    struct Step {
        int line = 0;
        std::string words;  // what happens
        std::string text;   // its text, decoded
    };
    friend class Player;
    // `first_line` is where in its file the text begins.
    static Transcript parse(std::string_view text, int first_line);

    std::string name_;
    bool starttls_ = false;
    bool whole_ = false;
    std::string peer_;
    std::string settings_;
    std::vector<Step> steps_;
};

}  // namespace stanzagate::filters
