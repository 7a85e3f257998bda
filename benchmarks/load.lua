-- One kind of request, read from the file in the first argument: the method, headers ("name: value") up to an
-- empty line, then one target a line: path, tab, body. Targets are taken at random; "{n}" in one becomes a
-- number that was not sent before. done() prints one line of JSON.

local requests, templates = {}, {}
local method, headers = "GET", {}
local count = 0
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local function render(path, body)
  return wrk.format(method, path, headers, body)
end

function init(args)
  local file = assert(io.open(args[1], "r"))
  method = file:read("*l")
  for line in file:lines() do
    if line == "" then break end
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  for line in file:lines() do
    local path, body = line:match("^([^\t]*)\t?(.*)$")
    if body == "" then body = nil end
    if line:find("{n}", 1, true) then
      templates[#templates + 1] = {path, body}
    else
      requests[#requests + 1] = render(path, body)
    end
  end
  file:close()
  math.randomseed(os.time() + number)
  count = number * 100000000 + (os.time() % 100000) * 1000
end

function request()
  if #templates == 0 then return requests[math.random(#requests)] end
  local template = templates[math.random(#templates)]
  count = count + 1
  local text = string.format("%d", count)
  return render((template[1]:gsub("{n}", text)), template[2] and (template[2]:gsub("{n}", text)))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nJSON {"requests":%d,"seconds":%.6f,"bytes":%d,"p50":%.1f,"p95":%.1f,"p99":%.1f,"max":%.1f,'
      .. '"failed":%d,"broken":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), latency.max, e.status, e.connect + e.read + e.write + e.timeout))
end
