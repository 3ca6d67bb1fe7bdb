-- Stores pages of ballots under a key of their own, until commit.lua moves them to their round. `kept_ms`: after so long without
-- a further part, they are dropped. Further arguments: page, bytes, page, bytes …
local staged = KEYS[1]
local kept_ms = ARGV[1]
-- Lua can only pass about 8,000 arguments at once. An even chunk size keeps pages together with their bytes.
for from = 2, #ARGV, 4000 do
  redis.call('HSET', staged, unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
redis.call('PEXPIRE', staged, kept_ms)
return 1
