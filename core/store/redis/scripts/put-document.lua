-- Writes or removes a document if it still has the expected version (-1: any version; 0: the document does not exist).
-- retired: the highest version of any removed document, by collection; a new document begins above it. If the deployment was begun by
-- an earlier version, which notes no such versions, a new document also begins above the time in ms: no document has been changed that
-- often. `complete`: set if the deployment was begun by this version or a later one.
-- document: empty to remove it. watched: 1 if its writes are announced.
-- Returns the new version, 0 after removing the document, or -1 if the version differs.
local documents, retired, writes = unpack(KEYS, 1, 3)
local id, expected, document, collection, watched, kept_writes, channel = unpack(ARGV, 1, 7)

local kept = redis.call('HGET', documents, id)
local version = kept and tonumber(string.match(kept, '^%d+')) or 0
if expected ~= '-1' and tonumber(expected) ~= version then
  -- This write has already been applied, but its reply was lost. Which version a new document got is not known here.
  if document == '' then return kept and -1 or 0 end
  local is_next = expected == '0' or tonumber(expected) + 1 == version
  if is_next and kept == version .. ' ' .. document then return version end
  return -1
end
if document == '' then
  redis.call('HDEL', documents, id)
  local highest = tonumber(redis.call('HGET', retired, collection) or 0)
  if version > highest then redis.call('HSET', retired, collection, version) end
  version = 0
else
  if not kept then
    version = tonumber(redis.call('HGET', retired, collection) or 0)
    if redis.call('HEXISTS', retired, 'complete') == 0 then
      local now = redis.call('TIME')
      version = math.max(version, now[1] * 1000 + math.floor(now[2] / 1000))
    end
  end
  version = version + 1
  redis.call('HSET', documents, id, version .. ' ' .. document)
end
if watched == '1' then
  redis.call('XADD', writes, 'MAXLEN', '~', kept_writes, '*', collection, id)
  redis.pcall('PUBLISH', channel, collection)
end
return version
