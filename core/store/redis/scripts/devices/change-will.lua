-- Changes the will of a client, if it is still the expected one. An empty text removes it.
local wills = KEYS[1]
local client, from, to = unpack(ARGV, 1, 3)

if redis.call('HGET', wills, client) ~= from then return 0 end
if to == '' then redis.call('HDEL', wills, client) else redis.call('HSET', wills, client, to) end
return 1
