-- Accepts what is left of a partition: gives it a new mark, and lets its log continue after the last counted entry.
-- mark: the text of the new mark.
-- Returns 1 if the log had lost entries.
local mark_key, vote_log, position = unpack(KEYS, 1, 3)
local mark = ARGV[1]

redis.call('SET', mark_key, mark)
local counted = redis.call('HMGET', position, 'counted', 'entries')
if not counted[1] then counted[1] = redis.call('HGET', position, 'offset') end
if not counted[1] then return 0 end
local function parts(offset)
  local ms, minor = string.match(offset, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(minor)
end
local last = '0-0'
if redis.call('EXISTS', vote_log) == 1 then
  local list = redis.call('XINFO', 'STREAM', vote_log)
  for i = 1, #list, 2 do if list[i] == 'last-generated-id' then last = list[i + 1] end end
else
  redis.call('XGROUP', 'CREATE', vote_log, 'accept', '$', 'MKSTREAM')
  redis.call('XGROUP', 'DESTROY', vote_log, 'accept')
end
local last_ms, last_minor = parts(last)
local ms, minor = parts(counted[1])
if last_ms > ms or (last_ms == ms and last_minor >= minor) then return 0 end
redis.call('XSETID', vote_log, counted[1], 'ENTRIESADDED', counted[2] or 0, 'MAXDELETEDID', counted[1])
return 1
