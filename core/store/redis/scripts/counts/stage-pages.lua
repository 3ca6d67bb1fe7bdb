-- Stores pages of ballots in a copy of their round, which commit.lua puts in the place of the round. `round`: its hash. `count`: over
-- how many pages it is spread from now on; if that changes, all pages come, and nothing is copied. `part`: counts from 1; the first
-- one begins the copy. `kept_ms`: without a further part for so long, the copy is dropped. Further keys: the other copies of the
-- checkpoint, which are kept for as long. Further arguments: page, bytes, page, bytes …
-- Returns 1, or 0 if earlier parts are missing (a failover lost them, or they have expired).
local round, staged = unpack(KEYS, 1, 2)
local count, part, kept_ms = unpack(ARGV, 1, 3)
if part == '1' then
  if redis.call('HGET', round, 'pages') == count then redis.call('COPY', round, staged, 'REPLACE') end
  redis.call('HSET', staged, 'pages', count, 'parts', 0)
end
if tonumber(redis.call('HGET', staged, 'parts') or -1) ~= part - 1 then return 0 end
-- Lua can only pass about 8,000 arguments at once. An even chunk size keeps pages together with their bytes.
for from = 4, #ARGV, 4000 do
  redis.call('HSET', staged, unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
redis.call('HSET', staged, 'parts', part)
local are_there = 1
for i = 2, #KEYS do
  if redis.call('PEXPIRE', KEYS[i], kept_ms) == 0 then are_there = 0 end
end
return are_there
