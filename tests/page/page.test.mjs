// The administrator's page as people have it: in a browser, in light and dark, wide and narrow,
// with a keyboard, with a screen reader (as far as axe can tell), and without JavaScript.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { browser, launch, start } from "./host.mjs";
import { acme, claims } from "./states.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = new URL("../../target/page/", import.meta.url).pathname;

/** Whether all that is shown is looked at, and not only what differs most. */
const soak = Number(process.env.LICENTIA_SOAK ?? 1) > 1;

const LOOKS = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 390 },
  { colorScheme: "dark", width: 1280 },
  { colorScheme: "light", width: 390 },
];

/** What differs most. */
const CHIEF = ["rich", "hostile", "not_licensed", "in_grace"];

const skip = browser ? false : "there is no chromium here (Debian package chromium)";

describe("the page", { skip, concurrency: 4 }, () => {
  let host;
  let chromium;

  before(async () => {
    mkdirSync(pictures, { recursive: true });
    [host, chromium] = await Promise.all([start(), launch()]);
  });
  after(async () => {
    await chromium?.close();
    await host?.stop();
  });

  /** Opens a page as somebody, and notes what it must not do. */
  async function open(name, { user = "administrator", width = 1280, ...look } = {}) {
    const context = await chromium.newContext({
      viewport: { width, height: 900 },
      reducedMotion: "reduce",
      extraHTTPHeaders: user ? { authorization: `Bearer ${user}-0123456789` } : {},
      ...look,
    });
    const page = await context.newPage();
    const slips = [];
    page.on("console", (message) => slips.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => slips.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => slips.push(`dialog: ${dialog.message()}`));
    page.on("request", (request) => {
      const own = request.url().startsWith(new URL(host.at(name)).origin);
      if (!own && !request.url().startsWith("data:")) slips.push(`request: ${request.url()}`);
    });
    const answer = await page.goto(host.at(name));
    return { page, context, slips, status: answer.status() };
  }

  /** What axe finds, in sentences. */
  async function flaws(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() =>
      globalThis.axe.run(document, { resultTypes: ["violations"] }),
    );
    const told = (rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 120)}`);
    return violations.flatMap(told);
  }

  const sideways = (page) =>
    page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);

  async function look(name, at) {
    const { page, context, slips, status } = await open(name, at);
    const where = `${name} ${at.colorScheme} ${at.width}`;
    assert.equal(status, 200, where);
    assert.equal(await page.locator("h1").count(), 1, where);
    assert.ok((await sideways(page)) <= 0, `${where}: it scrolls sideways`);
    assert.deepEqual(await flaws(page), [], where);
    await page.screenshot({
      path: `${pictures}${name}-${at.colorScheme}-${at.width}.png`,
      fullPage: true,
    });
    // Folded parts too, and the narrowest screen (WCAG 2.2, 1.4.10).
    await page.setViewportSize({ width: 320, height: 700 });
    await page.evaluate(() => {
      for (const folded of document.querySelectorAll("details")) folded.open = true;
    });
    assert.ok((await sideways(page)) <= 0, `${where}: it scrolls sideways at 320 pixels`);
    assert.deepEqual(slips, [], where);
    await context.close();
  }

  for (const at of LOOKS.slice(0, soak ? 4 : 2)) {
    const names = () => (soak ? host.names : CHIEF);
    test(`looks as it should in ${at.colorScheme}, ${at.width} pixels wide`, async (it) => {
      for (const name of names()) await look(name, at);
      it.diagnostic(`tried: ${names().length} states`);
    });
  }

  test("can be read without JavaScript", async () => {
    const { page, context, slips } = await open("rich", { javaScriptEnabled: false });
    const said = await page.locator("main").innerText();
    for (const fact of [
      "The license is in force until 13 Sep 2026",
      "That is in 90 days, at 12:00 UTC.",
      "Support ends on 5 Jul 2026, 12:00 UTC.",
      "The license ends: everything works on, with a warning",
      "0 of 50,000 this month",
      "Example GmbH",
      "LIC-MYAPP-A1B2C3D4",
      "api/license/assign",
    ]) {
      assert.ok(said.includes(fact), fact);
    }
    const code = await page.locator("#request textarea").inputValue();
    assert.match(code, /^eJ[\w+/=]{100,}$/);
    assert.equal(await page.locator("form").isVisible(), false);
    assert.deepEqual(slips, []);
    await context.close();
  });

  test("tells an assistant what is drawn", async () => {
    const { page, context } = await open("rich");
    for (const [role, name] of [
      ["img", "Timeline from 7 Mar 2026 until 21 Oct 2026. Every date is in the list below."],
      ["img", "0 of 50,000 this month"],
      ["img", "The same as a QR code"],
      ["region", "Timeline"],
      ["heading", "The license is in force until 13 Sep 2026"],
      ["textbox", "Paste what Acme sent, or choose its file"],
      ["textbox", "Request code"],
      ["button", "Apply"],
    ]) {
      assert.equal(await page.getByRole(role, { name, exact: true }).count(), 1, name);
    }
    await context.close();
  });

  test("is used with a keyboard, and shows where one is", async () => {
    const { page, context } = await open("rich");
    const reached = [];
    for (let press = 0; press < 12; press += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const it = document.activeElement;
        const style = getComputedStyle(it);
        const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return it === document.body ? null : [it.textContent.trim() || it.id || it.tagName, ring];
      });
      if (at) reached.push(at);
    }
    const names = reached.map(([name]) => name);
    for (const name of ["Apply a license", "text", "Apply", "file", "Copy"]) {
      assert.ok(names.includes(name), `${name} is not reached: ${names}`);
    }
    assert.deepEqual(reached.filter(([, ring]) => !ring), []);
    await context.close();
  });

  test("applies a license, and refuses what is none", async () => {
    const { page, context, slips } = await open("form");
    const title = () => page.locator("h1").innerText();
    const alert = page.getByRole("alert");
    const text = page.locator("#text");
    const apply = () => page.getByRole("button", { name: "Apply", exact: true }).click();
    const refused = async (what, sentence) => {
      await alert.filter({ hasText: sentence }).waitFor({ timeout: 5_000 }).catch(() => {});
      assert.match(await alert.innerText(), sentence, what);
      assert.equal(await text.getAttribute("aria-invalid"), "true", what);
      assert.ok(await text.evaluate((it) => it === document.activeElement), what);
      assert.equal(await title(), "There is no license", what);
    };
    assert.equal(await title(), "There is no license");

    await apply();
    await refused("nothing", /^Paste a license, or choose its file\.$/);
    await text.fill("not a license");
    await apply();
    const todo = "Use it exactly as the vendor sent it, and nothing else.";
    await refused("no license", new RegExp(`^Invalid license format: .+\\. ${todo}$`));
    assert.deepEqual(await flaws(page), []);
    const other = acme.license(claims({}, { aud: "other" }));
    await text.fill(other);
    await apply();
    await refused("another product's", /other|product/);
    await page.locator("#file").setInputFiles({
      name: "huge.lic",
      mimeType: "text/plain",
      buffer: Buffer.alloc(200_000, "a"),
    });
    await refused("a huge file", /^This file is too large/);
    await page.reload();
    assert.equal(await title(), "There is no license");

    await page.locator("#file").setInputFiles({
      name: "acme.lic",
      mimeType: "text/plain",
      buffer: Buffer.from(`${acme.license(claims())}\n`),
    });
    await page.waitForFunction(() => document.getElementById("text").value !== "");
    await apply();
    await page.getByText("It was applied.").waitFor();
    assert.equal(await title(), "The license is in force until 13 Sep 2026");
    assert.equal(new URL(page.url()).hash, "");
    assert.deepEqual(await flaws(page), []);
    await page.reload();
    assert.equal(await page.getByText("It was applied.").count(), 0);
    // What the server refuses is told by the browser too.
    const told = slips.filter((slip) => !slip.includes("status of 400"));
    assert.deepEqual(told, []);
    await context.close();
  });

  test("says so where no answer comes, or nobody is signed in any more", async () => {
    const { page, context } = await open("expired");
    const alert = page.getByRole("alert");
    const button = page.getByRole("button", { name: "Apply", exact: true });
    await page.locator("#text").fill("eyJ");
    await context.setOffline(true);
    await button.click();
    await alert.filter({ hasText: "No answer came" }).waitFor();
    await context.setOffline(false);
    await context.setExtraHTTPHeaders({});
    assert.ok(await button.isEnabled());
    await button.click();
    await alert.filter({ hasText: "You are not signed in any more" }).waitFor();
    await context.close();
  });

  test("copies the request code, or selects it where it may not", async () => {
    const { page, context } = await open("active");
    const code = await page.locator("#request textarea").inputValue();
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Copied.").waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
    await page.evaluate(() => {
      navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
    });
    await page.getByRole("button", { name: "Copy" }).click();
    await page.getByText("Selected: copy it with Ctrl+C.").waitFor();
    assert.equal(await page.evaluate(() => String(getSelection())), code);
    await context.close();
  });

  test("is one for whoever may look, and another for whoever may not", async () => {
    for (const [user, status, title] of [
      ["reader", 200, "The license is in force until 13 Sep 2026"],
      ["nobody", 403, "This page is not yours to see"],
      [null, 401, "Sign in first"],
    ]) {
      const { page, context, slips, status: got } = await open("rich", { user, width: 390 });
      assert.equal(got, status, title);
      assert.equal(await page.locator("h1").innerText(), title);
      assert.equal(await page.locator("form, #request, script").count(), 0, title);
      assert.deepEqual(await flaws(page), [], title);
      assert.ok((await sideways(page)) <= 0, title);
      await page.screenshot({ path: `${pictures}as-${user}.png`, fullPage: true });
      const told = slips.filter((slip) => !slip.includes(`status of ${status}`));
      assert.deepEqual(told, [], title);
      await context.close();
    }
  });

  test("can be printed", async () => {
    const { page, context } = await open("rich", { colorScheme: "dark" });
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    const [paper, ink] = await page.evaluate(() => {
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color];
    });
    assert.deepEqual([paper, ink], ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]);
    assert.equal(await page.locator("#apply").isVisible(), false);
    await context.close();
  });
});
