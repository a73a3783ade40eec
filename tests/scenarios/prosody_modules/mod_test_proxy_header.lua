-- A port for clients (test_proxy_header_ports) whose connections begin with a PROXY v2 header, so
-- that sessions have the address it names. It stands in for the community module mod_net_proxy,
-- which Debian's prosody-modules does not have. IPv4 and IPv6; a wrong header ends the connection.
module:set_global();

local get_service = require "core.portmanager".get_service;
local ntop = require "util.net".ntop;

local signature = "\r\n\r\n\0\r\nQUIT\n";
local proxied = "\33"; -- version 2, command PROXY
local address_bytes = { ["\17"] = 4, ["\33"] = 16 }; -- TCP over IPv4, TCP over IPv6

local buffers = {};
local listener = { default_port = 15222, default_mode = "*a" };

-- The client's address and what follows the header; nothing while bytes are missing.
local function parse(data)
	if #data < 16 then
		return;
	end
	local size = address_bytes[data:sub(14, 14)];
	if data:sub(1, 12) ~= signature or data:sub(13, 13) ~= proxied or not size then
		error("not a PROXY v2 header");
	end
	local length = data:byte(15) * 256 + data:byte(16);
	if #data < 16 + length then
		return;
	end
	return ntop(data:sub(17, 16 + size)), data:sub(17 + length);
end

function listener.onincoming(conn, data)
	buffers[conn] = (buffers[conn] or "") .. (data or "");
	local ok, address, rest = pcall(parse, buffers[conn]);
	if not ok then
		module:log("error", "%s", address);
		conn:close();
	elseif address then
		module:log("info", "PROXY header names %s", address);
		conn.peername = address;
		local client_listener = get_service("c2s").listener;
		conn:setlistener(client_listener);
		client_listener.onconnect(conn);
		if rest ~= "" then
			client_listener.onincoming(conn, rest);
		end
	end
end

function listener.ondisconnect(conn)
	buffers[conn] = nil;
end

listener.ondetach = listener.ondisconnect;

module:provides("net", { name = "test_proxy_header", listener = listener });
