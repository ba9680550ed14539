-- CL.THROTTLE as a script: the generic cell rate algorithm with the same five answers.
-- KEYS[1]; ARGV: max_burst, count, period in seconds, quantity.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local burst = ARGV[1] + 1
local interval = ARGV[3] * 1000000 / ARGV[2]
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
if full_at < now then
  full_at = now
end
local next_full_at = full_at + interval * ARGV[4]
local allowed_at = next_full_at - interval * burst
if allowed_at > now then
  return {1, burst, math.floor(burst - (full_at - now) / interval),
          math.ceil((allowed_at - now) / 1000000), math.ceil((full_at - now) / 1000000)}
end
redis.call('SET', KEYS[1], next_full_at, 'PX', math.max(1, math.ceil((next_full_at - now) / 1000)))
return {0, burst, math.floor(burst - (next_full_at - now) / interval), -1,
        math.ceil((next_full_at - now) / 1000000)}
