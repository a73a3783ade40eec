#pragma once

#include <cstddef>

namespace stanzagate::proxy::testing {

// While there is one, nobody in this process gets so many bytes in one piece, up to `most`.
class ScarceMemory {
public:
    explicit ScarceMemory(std::size_t least, std::size_t most = static_cast<std::size_t>(-1));
    ScarceMemory(const ScarceMemory&) = delete;
    ScarceMemory& operator=(const ScarceMemory&) = delete;
    ~ScarceMemory();
};

}  // namespace stanzagate::proxy::testing
