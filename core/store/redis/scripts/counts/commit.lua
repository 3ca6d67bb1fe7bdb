-- Applies the changes of a batch of log entries atomically, if the offset of the partition is still `expected`, and that of its
-- checkpoint `expected_checkpoint` (empty: it has none).
-- Further keys: the hashes to edit, then `removed` keys to remove. Further arguments, for the producers and then for each of the
-- hashes to edit: the number of fields to remove, the fields, the number of arguments for HSET, field, value, field, value …
-- `checkpoint`: the producers, if the commit is a checkpoint. `sealed`: what versions that cannot read it find as the offset.
-- Returns 1 if the changes were applied. Returns 0 and changes nothing if the partition has a different offset or checkpoint, or
-- if its log does not contain the last entry of the batch (a failover lost it). A batch without entries needs none.
local position, producers, change_feed, vote_log = unpack(KEYS, 1, 4)
local expected, expected_checkpoint, offset, refused, change, kept_changes, channel, partition, entries, sealed, checkpoint, removed = unpack(ARGV, 1, 12)

local counted = redis.call('HGET', position, 'counted') or redis.call('HGET', position, 'offset') or '0-0'
if counted ~= expected then return 0 end
if (redis.call('HGET', position, 'checkpoint') or '') ~= expected_checkpoint then return 0 end
if entries ~= '0' and #redis.call('XRANGE', vote_log, offset, offset) == 0 then return 0 end

local at = 13
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
local last_edited = #KEYS - tonumber(removed)
for i = 5, last_edited do edit(KEYS[i]) end
for i = last_edited + 1, #KEYS do redis.call('UNLINK', KEYS[i]) end

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
