-- For wrk: requests in turn, and the figures in one line at the end.
--	wrk … URL -- get FILE [NAME VALUE]…	FILE: a path a line, asked for again and again
--	wrk … URL -- post FILE [NAME VALUE]…	FILE: bodies, each its length in decimal, a line feed, its bytes; each sent once,
--						then an empty one. To URL's path
local requests, at, count, mode, file = {}, 0, 0, nil, nil

function init(args)
	mode = args[1]
	for i = 3, #args, 2 do
		wrk.headers[args[i]] = args[i + 1]
	end
	if mode == "get" then
		for path in io.lines(args[2]) do
			count = count + 1
			requests[count] = wrk.format("GET", path)
		end
	else
		file = assert(io.open(args[2], "rb"))
	end
end

function request()
	if mode == "get" then
		at = at % count + 1
		return requests[at]
	end
	local length = file:read("*n")
	local body = ""
	if length then
		file:read(1)
		body = file:read(length)
	end
	return wrk.format("POST", nil, nil, body)
end

-- Requests, microseconds, bytes, answers that are no success, broken connections, p50, p99 in microseconds.
function done(summary, latency)
	local e = summary.errors
	io.write(string.format("figures %d %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes, e.status,
		e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99)))
end
