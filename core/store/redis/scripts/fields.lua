-- Reads fields of several hashes. Keys: the hashes. Arguments, for each hash: the number of fields, then the fields.
-- Returns all values in that order, nil for missing fields.
local found, at = {}, 1
for _, hash in ipairs(KEYS) do
  local last = at + tonumber(ARGV[at])
  for from = at + 1, last, 4000 do
    local to = math.min(from + 3999, last)
    for i, value in ipairs(redis.call('HMGET', hash, unpack(ARGV, from, to))) do found[#found + 1] = value end
  end
  at = last + 1
end
return found
