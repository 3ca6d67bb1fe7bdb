-- Applies the changes of a batch of log entries atomically, if the offset of the partition is still `expected`.
-- Further keys: the hashes to edit. Further arguments, for the producers and then for each of these hashes: the number of
-- fields to remove, the fields, the number of arguments for HSET, field, value, field, value …
-- Returns 1 if the changes were applied. Returns 0 and changes nothing if the partition has a different offset, or if its log
-- does not contain the last entry of the batch (a failover lost it).
local position, producers, change_feed, vote_log = unpack(KEYS, 1, 4)
local expected, offset, refused, change, kept_changes, channel, partition, entries = unpack(ARGV, 1, 8)

if (redis.call('HGET', position, 'offset') or '0-0') ~= expected then return 0 end
if #redis.call('XRANGE', vote_log, offset, offset) == 0 then return 0 end

local at = 9
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
for i = 5, #KEYS do edit(KEYS[i]) end

redis.call('HSET', position, 'offset', offset, 'refused', refused)
redis.call('HINCRBY', position, 'entries', entries)
if change ~= '' then
  local before = redis.call('HGET', position, 'changed') or '0-0'
  redis.call('XADD', change_feed, 'MAXLEN', kept_changes, offset, 'c', change, 'before', before)
  redis.call('HSET', position, 'changed', offset)
  redis.pcall('PUBLISH', channel, partition)
end
return 1
