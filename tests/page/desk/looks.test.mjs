// Every page of the desk, found by its links, with made-up business in it: in light and dark, wide
// and on a phone, as far as axe can tell.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { browser, launch } from "../host.mjs";
import { KNOWN, LOOKS, flaws, pagesOf, sideways, signIn, visitor } from "./look.mjs";
import { makeBusiness, startServer } from "./server.mjs";

/** Whether all that is shown is looked at, and not only what differs most. */
const soak = Number(process.env.LICENTIA_SOAK ?? 1) > 1;

const skip = browser ? false : "there is no chromium here (Debian package chromium)";

describe("every page of the desk", { skip }, () => {
  let chromium, server, pages;

  before(async () => {
    server = await startServer(makeBusiness({ small: !soak }));
    chromium = await launch();
    const { page, context } = await visitor(chromium, server);
    await signIn(page, server.key);
    pages = await pagesOf(page, server.origin);
    await context.close();
  });
  after(async () => {
    await chromium?.close();
    await server?.stop();
  });

  test("is reached by links from the first", (it) => {
    assert.deepEqual(KNOWN.filter((kind) => !pages.has(kind)), []);
    it.diagnostic(`tried: ${pages.size} pages`);
  });

  for (const look of LOOKS.slice(0, soak ? 4 : 2)) {
    test(`looks as it should in ${look.colorScheme}, ${look.width} pixels wide`, async () => {
      const { page, context, slips } = await visitor(chromium, server, look);
      await page.goto("/sign-in");
      assert.deepEqual(await flaws(page), []);
      await signIn(page, server.key);
      for (const [kind, path] of pages) {
        const answer = await page.goto(path);
        assert.equal(answer.status(), 200, kind);
        assert.equal(await page.locator("h1").count(), 1, kind);
        assert.match(await page.title(), /\S · licentia$/, kind);
        assert.deepEqual(await flaws(page), [], kind);
        assert.ok((await sideways(page)) <= 0, `${kind}: it scrolls sideways`);
        // Folded parts too, and the narrowest screen (WCAG 2.2, 1.4.10).
        await page.setViewportSize({ width: 320, height: 900 });
        await page.evaluate(() => {
          for (const folded of document.querySelectorAll("details")) folded.open = true;
        });
        assert.ok((await sideways(page)) <= 0, `${kind}: it scrolls sideways at 320 pixels`);
        await page.setViewportSize({ width: look.width, height: 900 });
      }
      assert.deepEqual(slips, []);
      await context.close();
    });
  }

  test("draws charts, and has their numbers without", async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { page, context, slips } = await visitor(chromium, server, { javaScriptEnabled });
      await signIn(page, server.key);
      for (const path of ["/", "/usage"]) {
        await page.goto(path);
        const drawn = page.locator("figure.chart canvas");
        if (javaScriptEnabled) await drawn.first().waitFor();
        else assert.equal(await drawn.count(), 0, path);
        await page.locator("figure.chart summary").first().click();
        const rows = page.locator("figure.chart details table").first().locator("tbody tr");
        assert.ok((await rows.count()) > 3, path);
        assert.ok(await rows.first().isVisible(), path);
      }
      assert.deepEqual(slips, []);
      await context.close();
    }
  });

  test("shows where one is with the keyboard", async () => {
    const { page, context } = await visitor(chromium, server);
    await signIn(page, server.key);
    for (const path of ["/licenses", "/licenses/new"]) {
      await page.goto(path);
      const unseen = [];
      for (let press = 0; press < 40; press += 1) {
        await page.keyboard.press("Tab");
        const at = await page.evaluate(() => {
          const it = document.activeElement;
          const style = getComputedStyle(it);
          const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          return ring || it === document.body ? null : it.outerHTML.slice(0, 120);
        });
        if (at) unseen.push(at);
      }
      assert.deepEqual(unseen, [], path);
    }
    await context.close();
  });
});
