#pragma once

#include "certs/upstream_tls.hpp"
#include "proxy/visit.hpp"

namespace stanzagate::proxy {

// Connects to an upstream as the gate does for a client (see UpstreamConnector), looks round
// (filters::ServerInquiry), and leaves. Waits at most the upstream's connect_timeout for the
// connection with its TLS, for each address that its name has, and as long again for what the
// server says. A name is looked up for as long as the system likes.
Visit visit_upstream(const VisitPlan& plan, const certs::UpstreamTls& tls);

}  // namespace stanzagate::proxy
