-- Writes a key that expires, to find out whether this server accepts writes.
local probe = KEYS[1]
local ttl_ms = ARGV[1]

redis.call('SET', probe, '', 'PX', ttl_ms)
return 1
