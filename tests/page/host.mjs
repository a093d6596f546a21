// The host that serves the page, and the browser that looks at it.

import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { prepare } from "./states.mjs";

const root = new URL("../../", import.meta.url).pathname;

/** Where Debian has the browser; `undefined` = it is not here. */
export const browser = [process.env.CHROMIUM, "/usr/bin/chromium"].find(
  (path) => path && existsSync(path),
);

/** Starts a host: the one of Node, or the command in LICENTIA_PAGE_HOST. */
export async function start() {
  const { place, spec, names } = prepare();
  const command = process.env.LICENTIA_PAGE_HOST?.split(" ") ?? [
    process.execPath,
    `${root}tests/hosts/node.mjs`,
  ];
  const host = spawn(command[0], [...command.slice(1), spec], {
    stdio: ["ignore", "pipe", process.env.LICENTIA_PAGE_LOG ? "inherit" : "ignore"],
  });
  const ended = new Promise((done) => host.once("exit", done));
  const stop = async () => {
    host.kill("SIGTERM");
    await ended;
    rmSync(place, { recursive: true });
  };
  const lines = createInterface({ input: host.stdout });
  const port = await Promise.race([
    new Promise((done) => lines.once("line", (line) => done(line.split(" ")[1]))),
    ended.then((code) => Promise.reject(new Error(`the host ended with ${code}`))),
  ]);
  return { at: (name) => `http://127.0.0.1:${port}/${name}/license`, names, stop };
}

/** Opens the browser. It runs as root in containers, where its sandbox cannot. */
export async function launch() {
  return chromium.launch({
    executablePath: browser,
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}
