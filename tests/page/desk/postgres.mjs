// A PostgreSQL that is thrown away: Debian's binaries, a cluster in a folder of its own. A shell
// watches over it and ends it when the pipe to this process closes, however this process ends.

import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const USER = "licentia";

const WATCH = `
"$1/postgres" -D "$2/data" >"$2/log" 2>&1 </dev/null & pid=$!
read -r nothing
kill -INT "$pid"; wait "$pid"; rm -rf "$2"
`;

/** Where Debian has them, the newest first; `undefined` = they are not here. */
export function binaries() {
  const place = "/usr/lib/postgresql";
  if (!existsSync(place)) return undefined;
  const newest = readdirSync(place).sort((a, b) => Number(b) - Number(a));
  const found = newest.find((version) => existsSync(join(place, version, "bin/initdb")));
  return found && join(place, found, "bin");
}

/** PostgreSQL refuses to run as root. */
function owner() {
  if (process.getuid() !== 0) return {};
  const lines = readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"));
  const found = ["postgres", "nobody"].map((name) => lines.find((it) => it[0] === name));
  const [, , uid, gid] = found.find(Boolean);
  return { uid: Number(uid), gid: Number(gid) };
}

const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** Starts one; gives the address of an empty database, and what ends it. */
export async function startPostgres() {
  const bin = binaries();
  const home = mkdtempSync(join(tmpdir(), "licentia-page-pg-"));
  const who = owner();
  if (who.uid !== undefined) chownSync(home, who.uid, who.gid);
  const how = { ...who, cwd: home, env: { PATH: "/usr/bin:/bin" }, stdio: "pipe" };
  const settings = ["--no-sync", "-E", "UTF8", "--locale=C", "-U", USER, "-A", "trust"];
  execFileSync(join(bin, "initdb"), [...settings, "-D", join(home, "data")], how);
  const port = await freePort();
  const conf = `listen_addresses = '127.0.0.1'\nport = ${port}\nfsync = off\n
unix_socket_directories = '${home}'\nshared_buffers = 64MB\nmax_connections = 100\n`;
  execFileSync("tee", [join(home, "data/postgresql.auto.conf")], { ...how, input: conf });
  const watch = spawn("/bin/sh", ["-c", WATCH, "watch", bin, home], {
    ...how,
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const there = ["-XqAt", "-h", home, "-p", `${port}`, "-U", USER];
  const psql = (...args) => execFileSync(join(bin, "psql"), [...there, ...args], how);
  for (let turn = 0; ; turn += 1) {
    try {
      psql("-d", "postgres", "-c", "CREATE DATABASE licentia TEMPLATE template0");
      break;
    } catch (error) {
      if (turn > 200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  const stop = () =>
    new Promise((done) => {
      watch.once("exit", done);
      watch.stdin.end();
    });
  return { url: `postgres://${USER}@127.0.0.1:${port}/licentia`, stop };
}
