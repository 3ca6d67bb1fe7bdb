-- Sets the terms of a session: if a newer connection has not set others, or with is_change, only if this connection was the last
-- to set them.
local all_terms = KEYS[1]
local client, connection, terms, is_change = unpack(ARGV, 1, 4)

local before = redis.call('HGET', all_terms, client)
local number = before and tonumber(string.match(before, '^%d+'))
if is_change == '1' then
  if number ~= tonumber(connection) then return 0 end
elseif number and number > tonumber(connection) then
  return 0
end
redis.call('HSET', all_terms, client, terms)
return 1
