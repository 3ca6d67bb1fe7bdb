-- Returns the position and the producers of a partition, both as of the same commit.
local position, producers = unpack(KEYS, 1, 2)
return {redis.call('HGETALL', position), redis.call('HGETALL', producers)}
