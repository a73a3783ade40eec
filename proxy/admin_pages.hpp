#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "proxy/http_request.hpp"
#include "proxy/http_response.hpp"
#include "proxy/report.hpp"

namespace stanzagate::proxy {

// The page for people, from proxy/status_page.html.
extern const std::string_view status_page;

// Which names a request may call the admin address by. A web page elsewhere can have its own name
// resolve to 127.0.0.1, and would then read what is served there through a browser on this machine:
// but the browser says that name in the Host header. `own`: addresses and "localhost", which nobody
// else can have.
enum class AdminNames : std::uint8_t { own, any };

// What the admin address answers: /metrics, /healthz, /readyz, /status.json, and a page for people.
// It reads; there is nothing that can be done there. `report` is asked where it is needed.
HttpResponse admin_response(const HttpRequest& request, AdminNames names,
                            const std::function<Report()>& report);

}  // namespace stanzagate::proxy
