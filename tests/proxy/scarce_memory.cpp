#include "tests/proxy/scarce_memory.hpp"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> refused_from{never};
std::atomic<std::size_t> refused_to{never};

}  // namespace

// The program's own come before the library's. Without exceptions, too, since what one has got the
// same operator delete takes back.
void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
    if (size >= refused_from && size <= refused_to) return nullptr;
    return std::malloc(size);
}
void* operator new(std::size_t size) {
    if (void* const memory = ::operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    std::free(memory);
}

namespace stanzagate::proxy::testing {

ScarceMemory::ScarceMemory(std::size_t least, std::size_t most) {
    refused_to = most;
    refused_from = least;
}

ScarceMemory::~ScarceMemory() {
    refused_from = never;
}

}  // namespace stanzagate::proxy::testing
