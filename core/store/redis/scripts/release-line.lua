-- Forgets the newest connection of a client id, if it is still this one.
local lines = KEYS[1]
local id, holder = unpack(ARGV, 1, 2)

if redis.call('HGET', lines, id) == holder then redis.call('HDEL', lines, id) end
return 1
