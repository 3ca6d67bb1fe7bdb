-- Returns {id, facts, id, facts, …} of the processes that have not expired, and removes the others.
-- most_ms: the longest time for which a presence is announced. If the clock was set back, a presence seems to last longer. It
-- then ends after most_ms, so that nobody waits for a process that has died.
local members = KEYS[1]
local most_ms = ARGV[1]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = now + most_ms
local found, all = {}, redis.call('HGETALL', members)
for i = 1, #all, 2 do
  local until_ms, facts = string.match(all[i + 1], '^(%d+) (.*)$')
  if tonumber(until_ms) > last then
    redis.call('HSET', members, all[i], string.format('%.0f', last) .. ' ' .. facts)
  end
  if tonumber(until_ms) > now then
    found[#found + 1] = all[i]
    found[#found + 1] = facts
  else
    redis.call('HDEL', members, all[i])
  end
end
return found
