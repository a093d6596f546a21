// Pictures of every page of the desk, in light and dark, wide and on a phone, with a year of
// made-up business in it: into target/screenshots. `node desk/screenshots.mjs [--small] [--docs]`;
// the last renews the three that the documents show.

import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { browser, launch } from "../host.mjs";
import { LOOKS, pagesOf, signIn, visitor } from "./look.mjs";
import { makeBusiness, startServer } from "./server.mjs";

const root = new URL("../../../", import.meta.url).pathname;
const folder = join(root, "target/screenshots");

/** What the documents show: the page, in which light, the file. */
const SHOWN = [
  ["overview", "light", "desk-overview.png"],
  ["licenses-ID", "light", "desk-license.png"],
  ["usage", "dark", "desk-usage.png"],
];

const nameOf = (kind) => kind.slice(1).replaceAll("/", "-") || "overview";

/** Takes pictures of pages in one look. */
async function take(chromium, server, pages, look) {
  const { page, context } = await visitor(chromium, server, look);
  const size = look.width < 600 ? "phone" : "wide";
  const path = (name) => join(folder, `${name}-${look.colorScheme}-${size}.png`);
  await page.goto("/sign-in");
  await page.screenshot({ path: path("sign-in") });
  await signIn(page, server.key);
  for (const [kind, address] of pages) {
    await page.goto(address);
    await page.screenshot({ path: path(nameOf(kind)), fullPage: true });
    const is = ([name, light]) => name === nameOf(kind) && light === look.colorScheme;
    const shown = SHOWN.find(is);
    const clip = { x: 0, y: 0, width: look.width, height: 760 };
    if (shown && size === "wide") await page.screenshot({ path: join(folder, shown[2]), clip });
  }
  await context.close();
}

async function main(args) {
  if (!browser) throw new Error("there is no chromium here (Debian package chromium)");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const business = makeBusiness({ small: args.includes("--small") });
  const server = await startServer(business);
  const chromium = await launch();
  try {
    const { page, context } = await visitor(chromium, server);
    await signIn(page, server.key);
    const pages = await pagesOf(page, server.origin);
    await context.close();
    for (const look of LOOKS) await take(chromium, server, pages, look);
    if (args.includes("--docs")) {
      const images = join(root, "docs/images");
      mkdirSync(images, { recursive: true });
      for (const [, , file] of SHOWN) copyFileSync(join(folder, file), join(images, file));
    }
    const count = pages.size + 1;
    console.log(`${count * LOOKS.length} pictures of ${count} pages: ${folder}`);
  } finally {
    await chromium.close();
    await server.stop();
  }
}

await main(process.argv.slice(2));
