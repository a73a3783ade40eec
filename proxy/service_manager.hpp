#pragma once

namespace stanzagate::proxy {

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1". Does nothing where systemd did not start
// us, or where the program was built without libsystemd.
void notify_service_manager(const char* state);

}  // namespace stanzagate::proxy
