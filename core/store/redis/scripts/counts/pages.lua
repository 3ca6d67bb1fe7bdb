-- Reads pages of ballots, and the checkpoint that they belong to. Arguments: hashes of the voters whose pages are wanted; none: all.
-- Returns the checkpoint, the number of pages over which the round is spread (nil if it has none), page, bytes, page, bytes …
local position, ballots = unpack(KEYS, 1, 2)
local at = redis.call('HMGET', position, 'checkpoint', 'counted', 'offset')
local count = redis.call('HGET', ballots, 'pages')
local found = {at[1] or at[2] or at[3] or '0-0', count}
if not count then return found end
if #ARGV == 0 then
  local all = redis.call('HGETALL', ballots)
  for i = 1, #all, 2 do
    if all[i] ~= 'pages' then
      found[#found + 1] = all[i]
      found[#found + 1] = all[i + 1]
    end
  end
  return found
end
local seen = {}
for _, hash in ipairs(ARGV) do
  local page = tostring(tonumber(hash) % tonumber(count))
  local bytes = not seen[page] and redis.call('HGET', ballots, page)
  seen[page] = true
  if bytes then
    found[#found + 1] = page
    found[#found + 1] = bytes
  end
end
return found
