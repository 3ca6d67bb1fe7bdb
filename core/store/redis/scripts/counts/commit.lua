-- Applies the changes of a batch of log entries atomically, if the offset of the partition is still `expected`, and that of its
-- checkpoint `expected_checkpoint` (empty: it has none).
-- Further keys: the hashes to edit, then `removed` keys to remove, then `staged` pairs of a copy of a round with its new pages and
-- the round whose place it takes (see stage-pages.lua). Further arguments, for the producers and then for each of the hashes to edit:
-- the number of fields to remove, the fields, the number of arguments for HSET, field, value, field, value … Finally, the number of
-- parts of each copy.
-- `checkpoint`: the producers, if the commit is a checkpoint. `sealed`: what versions that cannot read it find as the offset.
-- Returns 1 if the changes were applied. Returns 0 and changes nothing if the partition has a different offset or checkpoint, or
-- if its log does not contain the last entry of the batch (a failover lost it); a batch without entries needs none. Returns -1 and
-- changes nothing if staged pages are missing: a failover lost them, or they have expired.
local position, producers, change_feed, vote_log = unpack(KEYS, 1, 4)
local expected, expected_checkpoint, offset, refused, change, kept_changes, channel, partition, entries, sealed, checkpoint, removed, staged = unpack(ARGV, 1, 13)

local counted = redis.call('HGET', position, 'counted') or redis.call('HGET', position, 'offset') or '0-0'
if counted ~= expected then return 0 end
if (redis.call('HGET', position, 'checkpoint') or '') ~= expected_checkpoint then return 0 end
if entries ~= '0' and #redis.call('XRANGE', vote_log, offset, offset) == 0 then return 0 end
local first_staged = #KEYS - 2 * tonumber(staged) + 1
for i = first_staged, #KEYS, 2 do
  local parts = ARGV[#ARGV - (#KEYS - i - 1) / 2]
  if redis.call('HGET', KEYS[i], 'parts') ~= parts then return -1 end
end

local at = 14
local function edit(hash)
  for _, command in ipairs({'HDEL', 'HSET'}) do
    local last = at + tonumber(ARGV[at])
    -- Lua can only pass about 8,000 arguments at once. An even chunk size keeps fields together with their values.
    for from = at + 1, last, 4000 do
      redis.call(command, hash, unpack(ARGV, from, math.min(from + 3999, last)))
    end
    at = last + 1
  end
end
edit(producers)
local last_edited = first_staged - 1 - tonumber(removed)
for i = 5, last_edited do edit(KEYS[i]) end
for i = last_edited + 1, first_staged - 1 do redis.call('UNLINK', KEYS[i]) end
for i = first_staged, #KEYS, 2 do
  redis.call('UNLINK', KEYS[i + 1])
  redis.call('RENAME', KEYS[i], KEYS[i + 1])
  redis.call('HDEL', KEYS[i + 1], 'parts')
  redis.call('PERSIST', KEYS[i + 1])
end

redis.call('HSET', position, 'counted', offset, 'offset', sealed, 'refused', refused)
local counted_entries = redis.call('HINCRBY', position, 'entries', entries)
if checkpoint ~= '' then
  local stored = offset .. ' ' .. string.format('%.0f', counted_entries)
  redis.call('HSET', position, 'checkpoint', offset, 'heard', checkpoint, 'stored', stored)
end
if change ~= '' then
  local before = redis.call('HGET', position, 'changed') or '0-0'
  redis.call('XADD', change_feed, 'MAXLEN', kept_changes, offset, 'c', change, 'before', before)
  redis.call('HSET', position, 'changed', offset)
  redis.pcall('PUBLISH', channel, partition)
end
return 1
