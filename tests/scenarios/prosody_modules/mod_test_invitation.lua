-- Makes invitations (test_invitations = 8) when it is loaded and writes their tokens to the log, one
-- "invitation TOKEN" a line: what an operator does with mod_invites' command in prosodyctl.
local invites = module:depends("invites");

for _ = 1, module:get_option_number("test_invitations", 1) do
	module:log("info", "invitation %s", invites.create_account().token);
end
