// The real server, as `licentia serve` starts it, with nothing in it or with made-up business.

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = new URL("../../../", import.meta.url).pathname;

/** The command; LICENTIA_COMMAND names another build of it. */
const command = process.env.LICENTIA_COMMAND ?? join(root, "target/debug/licentia");

/** A line of the log that says how long a request took. */
const REQUEST = /method="(\w+)" route="([^"]+)" status=(\d+) .*seconds=([\d.e-]+)/;

/** What makes a year of business, or some weeks; LICENTIA_DESK_EXAMPLE names another build. */
const example = process.env.LICENTIA_DESK_EXAMPLE ?? join(root, "target/debug/examples/desk");

const isBuilt = (program, how) => {
  if (!existsSync(program)) throw new Error(`${program} is not built: ${how}`);
};

/** Makes a year of business, or some weeks. Gives the folder, and the administrator's key. */
export function makeBusiness({ small }) {
  isBuilt(example, "make command");
  const data = mkdtempSync(join(tmpdir(), "licentia-desk-"));
  const args = ["--seed-only", "--data", data, ...(small ? ["--small"] : [])];
  const stdio = ["ignore", "pipe", "ignore"];
  const told = execFileSync(example, args, { encoding: "utf8", stdio });
  return { data, key: /^key +(\S+)$/m.exec(told)[1] };
}

/** Fills a database with very many licenses. Gives the folder, and the administrator's key. */
export function makeMany(count) {
  isBuilt(command, "make command");
  const data = mkdtempSync(join(tmpdir(), "licentia-desk-"));
  const args = [join(root, "bench/server/large.py"), command, data, `${count}`];
  const told = execFileSync("python3", args, { encoding: "utf8" });
  return { data, key: told.trim() };
}

/**
 * Starts a server on a database, on a folder, or on nothing yet. Gives where it is, its
 * administrator's key, a client of its API, how long each route took, and what ends it; the folder
 * is removed with it.
 */
export async function startServer({ database, data, key, args = [] } = {}) {
  isBuilt(command, "make command");
  const folder = data ?? mkdtempSync(join(tmpdir(), "licentia-desk-"));
  const admin = key ?? "the-key-of-the-administrator-of-tests";
  const env = { ...process.env, LICENTIA_ADMIN_KEY: admin };
  if (database) env.LICENTIA_DATABASE = database;
  const own = ["serve", "--listen", "127.0.0.1:0", "--requests-per-address", "0"];
  const where = ["--data", folder, "--webhook-network", "127.0.0.0/8", ...args];
  const server = spawn(command, [...own, ...where], { env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => server.once("exit", done));
  const took = [];
  const log = [];
  createInterface({ input: server.stderr }).on("line", (line) => {
    log.push(line);
    const found = REQUEST.exec(line);
    if (found) took.push({ method: found[1], route: found[2], seconds: Number(found[4]) });
  });
  const lines = createInterface({ input: server.stdout });
  const origin = await Promise.race([
    new Promise((done) =>
      lines.on("line", (line) => {
        const found = /(http:\/\/127\.0\.0\.1:\d+)/.exec(line);
        if (found) done(found[1]);
      }),
    ),
    ended.then((code) => Promise.reject(new Error(`it ended with ${code}: ${log.join("\n")}`))),
  ]);
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  };
  return { origin, key: admin, took, log, stop, api: client(origin, admin) };
}

/** Asks the API, and fails where it refuses. */
function client(origin, key) {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const answer = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  };
}
