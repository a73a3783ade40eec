-- Writes every stanza as Prosody has read it into a file, and does nothing else with it. One JSON
-- value a line: [name, [[attribute, value], ...], [child or text, ...]], or null where a
-- stream has ended.
module:set_global();

local filters = require "util.filters";
local encode = require "util.json".encode;

local file = assert(io.open(module:get_option_string("test_stanzas_file"), "a"));
local before_all_filters = 10000;

local function write(line)
	file:write(line, "\n");
	file:flush();
end

local function tree(stanza)
	local attributes, children = {}, {};
	for name, value in pairs(stanza.attr) do
		table.insert(attributes, "[" .. encode(name) .. "," .. encode(value) .. "]");
	end
	for _, child in ipairs(stanza) do
		table.insert(children, type(child) == "string" and encode(child) or tree(child));
	end
	return "[" .. encode(stanza.name) .. ",[" .. table.concat(attributes, ",") .. "],[" ..
		table.concat(children, ",") .. "]]";
end

filters.add_filter_hook(function(session)
	filters.add_filter(session, "stanzas/in", function(stanza)
		write(tree(stanza));
		return nil;
	end, before_all_filters);
end);

module:hook("c2s-closed", function(event)
	if not event.session.notopen then write("null"); end
end);
