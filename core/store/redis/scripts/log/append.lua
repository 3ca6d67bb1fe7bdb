-- Appends an entry to a partition’s vote log and wakes its readers, unless the time limit has passed.
-- until_ms: the latest time at which the entry may be stored, by this server’s clock; 0 only reads the clock.
-- shown_ms: an earlier reading of the clock. If the clock now shows less, this is another server (after a failover or a
-- redirection), and a time limit by the clock of the old server is meaningless.
-- expected: the store’s mark. If the partition has another one or none, its data is gone, and nothing may be added to it.
-- known: the offset of the newest entry that the log is known to have, or empty. If it lacks that entry, it has lost the end of
-- what was acknowledged, and what is added now would hide it.
-- stored: the offset that an earlier attempt was given, or empty. If that entry is there, it is not stored again.
-- Returns {this server’s clock in ms, offset}; without an offset, nothing was stored: {clock, '', 1} if the data is gone.
local vote_log, mark = unpack(KEYS, 1, 2)
local until_ms, entry, channel, partition, shown_ms, expected, known, stored = unpack(ARGV, 1, 8)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now > tonumber(until_ms) or now < tonumber(shown_ms) then return {now} end
if redis.call('GET', mark) ~= expected then return {now, '', 1} end
if known ~= '' and #redis.call('XRANGE', vote_log, known, known) == 0 then
  -- Entries are removed once they are old (a day at least), which is no loss.
  local is_old = tonumber(string.match(known, '^%d+')) < now - 3600000
  if not is_old or redis.call('EXISTS', vote_log) == 0 then return {now, '', 1} end
end
if stored ~= '' and #redis.call('XRANGE', vote_log, stored, stored) == 1 then
  -- WAIT covers only writes of its own connection, and this may be another one than that of the earlier attempt.
  redis.call('SET', mark, expected)
  return {now, stored}
end
-- JSON begins with a brace. Earlier versions read only the first field: to them, bytes are an entry in a newer format, not damage.
local fields = string.byte(entry) == 123 and {'e', entry} or {'e', '{"v":2}', 'b', entry}
local offset = redis.call('XADD', vote_log, '*', unpack(fields))
-- The entry is stored now, so a failure to wake readers must not look as if it was not.
redis.pcall('PUBLISH', channel, partition)
return {now, offset}
