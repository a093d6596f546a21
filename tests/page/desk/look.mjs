// How pages are looked at: what they must not do, what axe finds, which there are.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How pages are shown. */
export const LOOKS = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 390 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "light", width: 390 },
];

/** Pages that are there, whatever else is. */
export const KNOWN = [
  "/",
  "/products",
  "/products/new",
  "/products/ID",
  "/policies/ID",
  "/licenses",
  "/licenses/new",
  "/licenses/ID",
  "/licenses/ID/revoke",
  "/activations",
  "/activations/ID",
  "/seats",
  "/usage",
  "/webhooks",
  "/webhooks/new",
  "/webhooks/ID",
  "/deliveries/ID",
  "/keys",
  "/keys/api/new",
  "/keys/pairs/ID",
  "/audit",
  "/audit/ID",
  "/audit/verification",
  "/events",
];

/** Opens a window of somebody, and notes what no page may do. */
export async function visitor(chromium, server, { width = 1280, ...look } = {}) {
  const context = await chromium.newContext({
    baseURL: server.origin,
    viewport: { width, height: 900 },
    reducedMotion: "reduce",
    ...look,
  });
  const slips = [];
  const page = await context.newPage();
  page.on("console", (message) => slips.push(`console: ${message.text()} (${page.url()})`));
  page.on("pageerror", (error) => slips.push(`error: ${error.message} (${page.url()})`));
  page.on("dialog", (dialog) => {
    slips.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const own = request.url().startsWith(server.origin) || request.url().startsWith("data:");
    if (!own) slips.push(`request: ${request.url()}`);
  });
  return { context, page, slips };
}

/** Signs in, as a person does. */
export async function signIn(page, key, path = "/") {
  await page.goto(path);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** What axe finds, in sentences. The page's own policy lets no script in: this one is told to. */
export async function flaws(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, { resultTypes: ["violations"] }),
  );
  const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`);
  return violations.flatMap(told);
}

/** By how many pixels it scrolls sideways. */
export const sideways = (page) =>
  page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);

/** What a path is one of: ids left out, and what a list is asked with, but for its names. */
function kind(url) {
  const path = url.pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|evt_\w+|(?<=\/)\d+$/g, "ID");
  return path;
}

/** Files, and what is not of the desk. */
const APART = /^\/(assets|docs|api|v1|exports)\/|\/docs$|\.(csv|json|lic)$|\/download/;

/**
 * Follows links from the first page on, to one page of each kind. Gives them by their kind. A page
 * that stands for its kind is the first that is found, so those that come first are linked first.
 */
export async function pagesOf(page, origin) {
  const found = new Map([["/", "/"]]);
  // What has seats and machines is the best of its kind to look at.
  const waiting = ["/seats", "/activations", "/"];
  while (waiting.length > 0) {
    await page.goto(waiting.shift());
    const links = await page.evaluate(() =>
      [...document.links].filter((it) => !it.hasAttribute("download")).map((it) => it.href),
    );
    for (const link of links) {
      const url = new URL(link);
      if (url.origin !== origin || APART.test(url.pathname) || found.has(kind(url))) continue;
      found.set(kind(url), url.pathname + url.search);
      waiting.push(url.pathname + url.search);
    }
  }
  return found;
}
