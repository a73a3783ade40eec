#include "proxy/core_dumps.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <system_error>

namespace stanzagate::proxy {

// The limit alone does not hold where the kernel hands dumps to a program (core(5)); and the other
// alone ends with the next program that this one would start.
void forbid_core_dumps() {
    rlimit const none{0, 0};
    if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        throw std::system_error(errno, std::system_category(), "cannot switch off core dumps");
}

}  // namespace stanzagate::proxy
