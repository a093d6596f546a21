-- Has wrk print what it counted in a turn, as a JSON object in its last line.
done = function(summary, latency)
  local errors = summary.errors
  print(string.format('{"requests": %d, "microseconds": %d, "p99": %d, "failed": %d}',
    summary.requests, summary.duration, latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write))
end
