-- Writes or removes a document if it still has the expected version (-1: any version; 0: the document does not exist).
-- document: empty to remove it. collection: empty unless its writes are announced.
-- Returns the new version, 0 after removing the document, or -1 if the version differs.
local documents, writes = unpack(KEYS, 1, 2)
local id, expected, document, collection, kept_writes, channel = unpack(ARGV, 1, 6)

local kept = redis.call('HGET', documents, id)
local version = kept and tonumber(string.match(kept, '^%d+')) or 0
if expected ~= '-1' and tonumber(expected) ~= version then
  -- This write has already been applied, but its reply was lost.
  if kept == (expected + 1) .. ' ' .. document then return version end
  return -1
end
version = version + 1
if document == '' then
  redis.call('HDEL', documents, id)
  version = 0
else
  redis.call('HSET', documents, id, version .. ' ' .. document)
end
if collection ~= '' then
  redis.call('XADD', writes, 'MAXLEN', '~', kept_writes, '*', collection, id)
  redis.pcall('PUBLISH', channel, collection)
end
return version
