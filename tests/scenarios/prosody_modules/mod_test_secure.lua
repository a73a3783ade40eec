-- Connections that do not use TLS count as secure, and STARTTLS is not offered on them: right where
-- only a proxy that ended TLS can connect. It stands in for the community module
-- mod_secure_interfaces, which Debian's prosody-modules does not have.
local before_all_features = 2500;

module:hook("stream-features", function(event)
	local session = event.origin;
	if session.type == "c2s_unauthed" and not session.encrypted then
		session.secure = true;
		session.conn.starttls = false;
	end
end, before_all_features);
