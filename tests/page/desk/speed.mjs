// How long the server takes for pages, as its log says it.

/** Requests for pages by their routes: how often each came, and its seconds at the median. */
export function pageTimes(took) {
  const found = new Map();
  for (const { method, route, seconds } of took) {
    if (method !== "GET" || route.startsWith("/assets") || route.startsWith("/api")) continue;
    found.set(route, [...(found.get(route) ?? []), seconds]);
  }
  return [...found].sort().map(([route, all]) => {
    const sorted = all.sort((a, b) => a - b);
    return { route, times: all.length, median: sorted[Math.floor(sorted.length / 2)] };
  });
}
