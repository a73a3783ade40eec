#pragma once

#include <functional>
#include <string_view>

#include "proxy/http_request.hpp"
#include "proxy/http_response.hpp"
#include "proxy/report.hpp"

namespace stanzagate::proxy {

// The page for people, from proxy/status_page.html.
extern const std::string_view status_page;

// What the admin address answers: /metrics, /healthz, /readyz, /status.json, and a page for people.
// It reads; there is nothing that can be done there. `report` is asked where it is needed.
HttpResponse admin_response(const HttpRequest& request, const std::function<Report()>& report);

}  // namespace stanzagate::proxy
