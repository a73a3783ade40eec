#pragma once

#include <string>

namespace stanzagate::proxy {

// Tells systemd (sd_notify(3)): "READY=1", "STOPPING=1". Does nothing where systemd did not start
// us, or where the program was built without libsystemd.
void notify_service_manager(const std::string& state);

// Whether it hears of that.
bool has_service_manager();

// A reload begins, or a takeover; "READY=1" ends it. With the time, as Type=notify-reload wants it
// (systemd 253); with Type=notify it is passed over.
void notify_reloading();

}  // namespace stanzagate::proxy
