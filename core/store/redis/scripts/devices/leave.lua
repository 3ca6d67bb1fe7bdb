-- Notes that a device has left its connection, unless it has connected again since.
local last = KEYS[1]
local line, left, ttl_ms = unpack(ARGV, 1, 3)

if redis.call('GET', last) == line then redis.call('SET', last, left, 'PX', ttl_ms) end
