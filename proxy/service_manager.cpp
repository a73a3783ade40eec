#include "proxy/service_manager.hpp"

#ifdef STANZAGATE_HAS_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace stanzagate::proxy {

void notify_service_manager([[maybe_unused]] const char* state) {
#ifdef STANZAGATE_HAS_SYSTEMD
    sd_notify(0, state);
#endif
}

}  // namespace stanzagate::proxy
