-- Forgets the newest connections of client ids, each if it is still this one. Arguments: id and holder of each.
local lines = KEYS[1]

for i = 1, #ARGV, 2 do
  if redis.call('HGET', lines, ARGV[i]) == ARGV[i + 1] then redis.call('HDEL', lines, ARGV[i]) end
end
return 1
