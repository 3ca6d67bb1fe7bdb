-- Announces that a process is present for the next ttl_ms, by this server’s clock.
local members = KEYS[1]
local id, ttl_ms, facts = unpack(ARGV, 1, 3)

local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + ttl_ms
redis.call('HSET', members, id, string.format('%.0f', until_ms) .. ' ' .. facts)
