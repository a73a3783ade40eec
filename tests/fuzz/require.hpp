#pragma once

#include <cstdlib>
#include <iostream>
#include <source_location>
#include <string_view>

namespace stanzagate {

// Not assert(): it must hold in every build. `seen`: what shows that the promise is broken.
inline void require(bool holds, std::string_view promise = {}, std::string_view seen = {},
                    std::source_location where = std::source_location::current()) {
    if (holds) return;
    std::cerr << where.file_name() << ':' << where.line() << ": broken promise: " << promise << '\n'
              << seen << std::endl;
    std::abort();
}

}  // namespace stanzagate
