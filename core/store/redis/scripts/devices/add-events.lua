-- Appends events to the trails of devices. The index, a sorted set, remembers when each trail was last written, so that the
-- trails of the devices heard least recently can be removed when there are too many.
local index = KEYS[1]
local kept_events, kept_trails, ttl_ms = unpack(ARGV, 1, 3)

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local at = 4
while at <= #ARGV do
  local device, count = ARGV[at], tonumber(ARGV[at + 1])
  local trail = index .. ':' .. device
  for i = at + 2, at + 1 + count do redis.call('RPUSH', trail, ARGV[i]) end
  redis.call('LTRIM', trail, -kept_events, -1)
  redis.call('PEXPIRE', trail, ttl_ms)
  redis.call('ZADD', index, now_ms, device)
  at = at + 2 + count
end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now_ms - ttl_ms)
local excess = redis.call('ZCARD', index) - kept_trails
if excess > 0 then
  local popped = redis.call('ZPOPMIN', index, excess)
  for i = 1, #popped, 2 do redis.call('DEL', index .. ':' .. popped[i]) end
end
redis.call('PEXPIRE', index, ttl_ms)
