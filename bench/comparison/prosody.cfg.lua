-- Prosody with mod_register_redirect, which stanzagate does the work of. Words with a dollar sign are filled in.
run_as_root = true
pidfile = "$folder/prosody.pid"
data_path = "$folder"
plugin_paths = { "/usr/lib/prosody/modules" }  -- where Debian puts prosody-modules
interfaces = { "127.0.0.1" }
c2s_ports = {}
s2s_ports = {}
http_ports = {}
https_ports = {}
c2s_direct_tls_ports = { $port }
ssl = { certificate = "$folder/certificate.pem"; key = "$folder/key.pem" }
modules_enabled = { "roster"; "saslauth"; "tls"; "disco"; "register_ibr"; "register_redirect" }
modules_disabled = { "s2s"; "offline" }
authentication = "internal_hashed"
storage = "internal"
allow_registration = true
registration_url = "https://example.org/register"
no_registration_whitelist = true               -- so that clients on this machine are redirected
log = { warn = "$folder/prosody.log" }         -- no line for each session, like the others
VirtualHost "bench.test"
