-- Returns a number higher than all earlier ones: this server’s clock, counted from begin_ms, or the last number plus one.
-- Thanks to the clock, a server that has lost the last numbers does not assign them again.
local newest = KEYS[1]
local begin_ms = ARGV[1]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) - begin_ms
local next = math.max(now, (tonumber(redis.call('GET', newest)) or 0) + 1)
redis.call('SET', newest, string.format('%.0f', next))
return next
