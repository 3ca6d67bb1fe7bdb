-- Gives a new connection of a client id a number higher than all earlier ones: this server’s clock, counted from begin_ms, or
-- the last number plus one. Thanks to the clock, a server that has lost the last numbers does not assign them again. Records the
-- connection as the id’s newest, and tells all brokers. Returns the number, and the holder before (its number and broker).
local newest, lines = unpack(KEYS, 1, 2)
local begin_ms, id, broker, channel = unpack(ARGV, 1, 4)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) - begin_ms
local number = string.format('%.0f', math.max(now, (tonumber(redis.call('GET', newest)) or 0) + 1))
local before = redis.call('HGET', lines, id) or ''
redis.call('SET', newest, number)
redis.call('HSET', lines, id, number .. ' ' .. broker)
redis.pcall('PUBLISH', channel, 'claim ' .. id .. ' ' .. number .. ' ' .. broker .. ' ' .. before)
return {number, before}
