-- Asks what a file has a line for: METHOD, PATH and BODY with tabs between, one after the other
-- from a random line on. `#` twelve times in a body is a number that no other request has.
--   wrk -s asked.lua URL -- FILE API-KEY FIRST-NUMBER
-- It prints what it counted as a JSON object in its last line.

local made, at, number, mark = {}, 0, 0, string.rep("#", 12)

function init(args)
  local headers = { ["Content-Type"] = "application/json" }
  headers["Authorization"] = "Bearer " .. args[2]
  number = tonumber(args[3])
  for line in io.lines(args[1]) do
    local method, path, body = line:match("^(%S+)\t(%S+)\t(.*)$")
    made[#made + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
  end
  math.randomseed(number)
  at = math.random(#made)
end

function request()
  at = at % #made + 1
  local text = made[at]
  local from, to = text:find(mark, 1, true)
  if not from then return text end
  number = number + 1
  return text:sub(1, from - 1) .. string.format("%012d", number) .. text:sub(to + 1)
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
