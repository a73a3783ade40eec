#include "proxy/service_manager.hpp"

#include <cstdlib>
#include <ctime>

#ifdef STANZAGATE_HAS_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace stanzagate::proxy {

void notify_service_manager([[maybe_unused]] const std::string& state) {
#ifdef STANZAGATE_HAS_SYSTEMD
    sd_notify(0, state.c_str());
#endif
}

bool has_service_manager() {
#ifdef STANZAGATE_HAS_SYSTEMD
    return std::getenv("NOTIFY_SOCKET") != nullptr;
#else
    return false;
#endif
}

void notify_reloading() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    auto const microseconds = now.tv_sec * 1'000'000LL + now.tv_nsec / 1000;
    notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

}  // namespace stanzagate::proxy
