-- Appends an entry to a partition’s vote log and wakes its readers, unless the time limit has passed.
-- until_ms: the latest time at which the entry may be stored, by this server’s clock; 0 only reads the clock.
-- shown_ms: an earlier reading of the clock. If the clock now shows less, this is another server (after a failover or a
-- redirection), and a time limit by the clock of the old server is meaningless.
-- Returns {this server’s clock in ms, offset}; without an offset, nothing was stored.
local vote_log = KEYS[1]
local until_ms, entry, channel, partition, shown_ms = unpack(ARGV, 1, 5)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(until_ms) or now < tonumber(shown_ms) then return {now} end
local offset = redis.call('XADD', vote_log, '*', 'e', entry)
redis.call('PUBLISH', channel, partition)
return {now, offset}
