-- Changes the stream features that a host offers before login: adds what test_offers lists (XML, as
-- text), SASL mechanisms in test_mechanisms, and takes the registration feature away where
-- test_hides_registration. What Debian's Prosody does not offer by itself any more, or only inside
-- TLS, can so be offered in the clear.
local st = require "util.stanza";
local parse = require "util.xml".parse;

local after_all_features = -1000;

module:hook("stream-features", function(event)
	if event.origin.type ~= "c2s_unauthed" then return; end
	local features = event.features;
	for offer in module:get_option_set("test_offers", {}) do
		features:add_child(assert(parse(offer)));
	end
	local mechanisms = features:get_child("mechanisms", "urn:ietf:params:xml:ns:xmpp-sasl");
	for mechanism in module:get_option_set("test_mechanisms", {}) do
		mechanisms:add_child(st.stanza("mechanism"):text(mechanism));
	end
	if module:get_option_boolean("test_hides_registration", false) then
		features:maptags(function(feature)
			return feature.attr.xmlns ~= "http://jabber.org/features/iq-register" and feature or nil;
		end);
	end
end, after_all_features);
