-- What is left of a partition: its mark, and whether its log still has what was seen or acknowledged.
-- settled: the offset of an entry that must be in the log, or empty.
-- Further arguments: offsets of more recent entries that must be in it.
-- Returns {mark, 1 if the log exists, its last offset, the offset of its last entry or 0-0 (it may have been removed), how many
-- entries it was ever given, 1 if it has `settled`, 1 if it has all recent ones, the offset up to which the partition is counted}.
local mark, vote_log, position = unpack(KEYS, 1, 3)
local settled = ARGV[1]

-- Entries are removed from the front of the log once they are old (a day at least), which is no loss.
local old_ms = redis.call('TIME')[1] * 1000 - 3600000
local function ms(offset) return tonumber(string.match(offset, '^%d+')) end
local function has(offset)
  if offset == '' or #redis.call('XRANGE', vote_log, offset, offset) == 1 then return 1 end
  local first = redis.call('XRANGE', vote_log, '-', '+', 'COUNT', 1)[1]
  return first and ms(offset) < old_ms and ms(first[1]) >= ms(offset) and 1 or 0
end

local has_recent = 1
for i = 2, #ARGV do if has(ARGV[i]) ~= 1 then has_recent = 0 end end

local facts = {}
local exists = redis.call('EXISTS', vote_log)
if exists == 1 then
  local list = redis.call('XINFO', 'STREAM', vote_log)
  for i = 1, #list, 2 do facts[list[i]] = list[i + 1] end
end
return {
  redis.call('GET', mark) or '', exists, facts['last-generated-id'] or '0-0',
  facts['last-entry'] and facts['last-entry'][1] or '0-0', facts['entries-added'] or 0,
  has(settled), has_recent, redis.call('HGET', position, 'counted') or redis.call('HGET', position, 'offset') or '0-0',
}
