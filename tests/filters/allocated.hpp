#pragma once

#include <malloc.h>

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // g++ has no header for it
#endif

namespace stanzagate::filters {

// The bytes that the program has for itself at this moment.
inline std::size_t allocated() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return __sanitizer_get_current_allocated_bytes();
#else
    const auto found = ::mallinfo2();
    return found.uordblks + found.hblkhd;  // in the heap, and by itself where it is large
#endif
}

}  // namespace stanzagate::filters
