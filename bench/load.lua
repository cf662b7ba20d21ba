-- What wrk asks, and which answers count. BENCH_KIND is page, claim or event; in the
-- folder BENCH_FOLDER are:
--
-- ports.txt   a port a line: each of wrk's threads asks one of them
-- paths.txt   a path a line: asked in turn
-- prefix.txt  what the keys of claims begin with
-- page.bin    the page, to the byte
-- events-N.txt  signed events, one a line, for thread N: signature, tab, body
-- holds-N.txt   is written: the holds that thread N was led to

local kind, folder = os.getenv("BENCH_KIND"), os.getenv("BENCH_FOLDER")
local threads = {}

local function lines(path)
  local found = {}
  for line in io.lines(path) do table.insert(found, line) end
  return found
end

function setup(thread)
  table.insert(threads, thread)
  local ports = lines(folder .. "/ports.txt")
  local port = ports[(#threads - 1) % #ports + 1]
  thread:set("id", #threads)
  thread:set("port", port)
  thread.addr = wrk.lookup("127.0.0.1", port)[1]
end

function init()
  asked, right, wrong, sample = 0, 0, 0, ""
  wrk.headers["Host"] = "127.0.0.1:" .. port
  wrk.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 14) Mobile"
  paths = lines(folder .. "/paths.txt")
  _G["begin_" .. kind]()
end

function begin_page()
  wrk.headers["Accept"] = "text/html"
  wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
  wrk.headers["Accept-Language"] = "en-GB,en;q=0.9"
  local file = io.open(folder .. "/page.bin", "rb")
  page = file:read("*a")
  file:close()
  gets = {}
  for n, path in ipairs(paths) do gets[n] = wrk.format("GET", path) end
  request = function()
    asked = asked + 1
    return gets[asked % #gets + 1]
  end
  is_right = function(status, headers, body) return status == 200 and body == page end
end

function begin_claim()
  wrk.headers["Accept"] = "text/html"
  wrk.headers["Sec-Fetch-Site"] = "same-origin"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  local prefix = lines(folder .. "/prefix.txt")[1] .. "-" .. id .. "-"
  local holds = io.open(folder .. "/holds-" .. id .. ".txt", "w")
  holds:setvbuf("full", 65536)
  request = function()
    asked = asked + 1
    local form = "key=" .. prefix .. asked .. "&quantity=1"
    return wrk.format("POST", paths[asked % #paths + 1], nil, form)
  end
  is_right = function(status, headers)
    local token = (headers["Location"] or ""):match("^/h/(%w+)/pay$")
    if status ~= 303 or not token then return false end
    holds:write(token, "\n")
    return true
  end
end

function begin_event()
  wrk.headers["Content-Type"] = "application/json; charset=utf-8"
  local path = folder .. "/events-" .. id .. ".txt"
  local events = io.lines(path)
  request = function()
    asked = asked + 1
    local line = events()
    if not line then
      events = io.lines(path)
      line = events()
    end
    local signature, body = line:match("^([^\t]+)\t(.*)$")
    wrk.headers["Stripe-Signature"] = signature
    return wrk.format("POST", paths[1], nil, body)
  end
  is_right = function(status) return status == 204 end
end

function response(status, headers, body)
  if is_right(status, headers, body) then
    right = right + 1
  else
    wrong = wrong + 1
    sample = status .. " " .. (headers["Location"] or "") .. " " .. body:sub(1, 200)
  end
end

function done(summary, latency)
  local right, wrong, sample = 0, 0, ""
  for _, thread in ipairs(threads) do
    right = right + thread:get("right")
    wrong = wrong + thread:get("wrong")
    sample = thread:get("sample") ~= "" and thread:get("sample") or sample
  end
  local errors = summary.errors
  local lost = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format("\nRESULT\t%d\t%d\t%d\t%f\t%f\t%f\t%s\n", right, wrong, lost,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    sample:gsub("%s+", " ")))
end
