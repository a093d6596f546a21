// The desk as people have it: a real server on either database and with very many licenses, a real
// browser, with a keyboard, with a mouse, and without JavaScript.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { browser, launch } from "../host.mjs";
import { KNOWN, flaws, pagesOf, signIn, visitor } from "./look.mjs";
import { binaries, startPostgres } from "./postgres.mjs";
import { startReceiver } from "./receiver.mjs";
import { makeMany, startServer } from "./server.mjs";
import { pageTimes } from "./speed.mjs";

const here = browser ? false : "there is no chromium here (Debian package chromium)";
const PATIENCE = 10_000;
const NAME = "Acme <b>Studio</b>";

/** Whether it may take its time. */
const soak = Number(process.env.LICENTIA_SOAK ?? 1) > 1;
const MANY = soak ? 1_000_000 : 20_000;

/** Seconds that the server may take for a page at the median, with a million licenses. */
const SECONDS_MAX = 0.3;

const databases = [
  { name: "SQLite", skip: here, open: async () => ({ stop: async () => {} }) },
  {
    name: `SQLite with ${MANY.toLocaleString("en")} licenses`,
    skip: here,
    many: true,
    open: async () => ({ ...makeMany(MANY), stop: async () => {} }),
  },
  {
    name: "PostgreSQL",
    skip: here || (binaries() ? false : "PostgreSQL is not here (Debian package postgresql)"),
    open: startPostgres,
  },
];

/** Waits until something is so, so many times as long as anything else. */
async function until(what, is, times = 1) {
  const begun = Date.now();
  while (!(await is())) {
    assert.ok(Date.now() - begun < PATIENCE * times, `${what} does not come`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Presses Tab until something with this name has the focus. */
async function tabTo(page, name) {
  for (let press = 0; press < 120; press += 1) {
    const at = await page.evaluate(() => {
      const it = document.activeElement;
      const label = it.labels?.[0]?.textContent ?? it.getAttribute("aria-label") ?? it.textContent;
      return label.trim();
    });
    if (at === name) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${name} is not reached with Tab`);
}

for (const { name, skip, open, many } of databases) {
  describe(`the desk on ${name}`, { skip }, () => {
    let chromium, database, server, receiver;

    before(async () => {
      database = await open();
      const { url, data, key } = database;
      server = await startServer({ database: url, data, key });
      chromium = await launch();
      receiver = await startReceiver();
    });
    after(async () => {
      await chromium?.close();
      await server?.stop();
      await receiver?.stop();
      await database?.stop();
    });

    /** Somebody who has signed in, and whose browser has nothing to say but of what is refused. */
    async function people(look, work) {
      const { page, context, slips } = await visitor(chromium, server, look);
      const refused = [];
      page.setDefaultTimeout(PATIENCE);
      await signIn(page, server.key);
      await work(page, context, (status) => refused.push(`status of ${status}`));
      const told = slips.filter((slip) => !refused.some((it) => slip.includes(it)));
      assert.deepEqual(told, []);
      await context.close();
    }

    const title = (page) => page.locator("h1").innerText();
    const press = (page, name) => page.getByRole("button", { name, exact: true }).click();
    const linkOf = (page, name) => page.locator("main").getByRole("link", { name, exact: true });
    const go = (page, name) => linkOf(page, name).click();

    test("is entered and left with the keyboard alone", async () => {
      const { page, context, slips } = await visitor(chromium, server);
      await page.goto("/licenses?status=active");
      assert.equal(await title(page), "Sign in");
      await page.keyboard.type("not a key");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").waitFor();
      assert.deepEqual(await flaws(page), []);
      await page.keyboard.type(server.key);
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Licenses" }).waitFor();
      assert.match(page.url(), /\/licenses\?status=active$/, "it leads to where one was going");
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      const at = await page.evaluate(() => document.activeElement.id);
      assert.equal(at, "main", "the menu is skipped");
      const kept = await page.evaluate(() => [
        document.cookie,
        localStorage.length,
        sessionStorage.length,
        document.documentElement.outerHTML,
      ]);
      assert.deepEqual(kept.slice(0, 3), ["", 0, 0], "nothing is in the hands of scripts");
      assert.ok(!kept[3].includes(server.key));
      await tabTo(page, "Sign out").catch(async () => {
        await page.keyboard.press("Shift+Tab");
        await page.getByRole("button", { name: "Sign out" }).focus();
      });
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
      await page.goBack();
      await page.goto("/licenses");
      assert.equal(await title(page), "Sign in", "going back does not lead in");
      // The answer to the wrong key is told by the browser too.
      assert.deepEqual(slips.filter((slip) => !slip.includes("status of 401")), []);
      await context.close();
    });

    test("makes a key pair and a product, and keeps what was typed", async () => {
      await people({}, async (page, context, refuses) => {
        await page.goto("/keys/pairs/new");
        await page.getByLabel("Name", { exact: true }).fill("Acme 2026");
        await page.keyboard.press("Enter");
        await page.waitForURL(/keys\/pairs\/[0-9a-f-]{36}/);
        await page.goto("/products");
        await page.getByRole("link", { name: "New product" }).first().click();
        await page.getByLabel("Name", { exact: true }).fill(NAME);
        await page.getByLabel("Code", { exact: true }).fill("Not A Code");
        await page.getByLabel("Key pair").selectOption({ label: "Acme 2026" });
        refuses(422);
        await press(page, "Make the product");
        await page.getByRole("alert").waitFor();
        assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), NAME);
        assert.deepEqual(await flaws(page), []);
        await page.getByLabel("Code", { exact: true }).fill("studio");
        await press(page, "Make the product");
        await page.waitForURL(/products\/[0-9a-f-]{36}/);
        assert.equal(await title(page), NAME);
      });
    });

    test("makes a license that is seen before it is made, and stops it", async () => {
      await people({}, async (page) => {
        await page.goto("/licenses/new");
        const had = (await server.api("GET", "/licenses")).total;
        await page.getByLabel("Product", { exact: true }).selectOption({ label: NAME });
        await page.getByLabel("Name", { exact: true }).fill("Example GmbH");
        await page.getByRole("radio", { name: "For so many days" }).check();
        await page.getByLabel("Days", { exact: true }).fill("30");
        // The preview follows what is typed, with nothing pressed.
        await page.locator("#preview").getByText("Example GmbH").waitFor();
        await page.getByLabel("Machines").fill("3");
        await page.locator("#preview dd").getByText("3", { exact: true }).first().waitFor();
        const { total } = await server.api("GET", "/licenses");
        assert.equal(total, had, "a preview makes nothing");
        await press(page, "Make the license");
        const key = await page.locator("#license-key").innerText();
        assert.ok(key.length > 15, key);
        const saved = page.waitForEvent("download");
        await page.getByRole("link", { name: "Download the file" }).click();
        const file = await (await saved).path();
        assert.match(readFileSync(file, "utf8"), /^[\w-]+\.[\w-]+\.[\w-]+\s*$/);
        await go(page, "To the license");
        assert.equal(await title(page), "Example GmbH");
        assert.ok(!(await page.content()).includes(key), "the license key is shown once");

        const status = () => page.locator(".head .pill").innerText();
        assert.equal(await status(), "active");
        await go(page, "Suspend");
        await page.getByLabel("Why").fill("unpaid");
        await press(page, "Suspend");
        await until("suspended", async () => (await status()) === "suspended");
        await go(page, "Reinstate");
        await press(page, "Reinstate");
        await until("active", async () => (await status()) === "active");
        await go(page, "Revoke");
        assert.deepEqual(await flaws(page), []);
        // What cannot be undone says what happens to whom before it is done.
        assert.match(await page.locator("main").innerText(), /cannot be undone/);
        await page.goBack();
        assert.equal(await status(), "active", "looking at it does nothing");
        await go(page, "Revoke");
        await press(page, "Revoke for ever");
        await until("revoked", async () => (await status()) === "revoked");
        for (const name of ["Reinstate", "Suspend", "Change"]) {
          assert.equal(await page.getByRole("link", { name, exact: true }).count(), 0, name);
        }
      });
    });

    test("finds licenses while one types, and goes back to what was found", async () => {
      const { products } = await server.api("GET", "/products");
      const { id } = products.find((it) => it.name === NAME);
      for (const name of ["Fjord Robotics AS", "Kiln & Co", "Lakeside Trust"]) {
        await server.api("POST", "/licenses", { product_id: id, customer_name: name });
      }
      await people({}, async (page) => {
        await page.goto(`/licenses?product_id=${id}`);
        const rows = page.locator("#results tbody tr");
        assert.equal(await rows.count(), 4);
        await page.getByLabel("Search").pressSequentially("kiln");
        await until("one row", async () => (await rows.count()) === 1);
        assert.match(await rows.innerText(), /Kiln & Co/);
        assert.match(page.url(), /search=kiln/);
        assert.ok(await page.getByLabel("Search").evaluate((it) => it === document.activeElement));
        await page.getByLabel("Search").fill("nobody is called so");
        await page.getByText("None found").waitFor();
        await page.goto("/licenses?search=kiln");
        assert.equal(await rows.count(), 1, "it is an address");
        await rows.getByRole("link").click();
        assert.equal(await title(page), "Kiln & Co");
        await page.goBack();
        assert.equal(await rows.count(), 1);
      });
    });

    test("sends webhooks to a real receiver, and again once it is well", async () => {
      await people({}, async (page) => {
        await page.goto("/webhooks/new");
        await page.getByLabel("URL").fill(receiver.url);
        await press(page, "Make the webhook");
        receiver.secret = (await page.locator("#secret").innerText()).trim();
        assert.match(receiver.secret, /^whsec_/);
        await go(page, "To the webhook");
        assert.ok(!(await page.content()).includes(receiver.secret), "the secret is shown once");
        const came = (kind) => receiver.came.filter((it) => it.body.type === kind);
        const webhook = page.url();
        await press(page, "Send a test");
        await until("the test", () => came("webhook.test").length === 1);
        assert.ok(came("webhook.test")[0].signed, "it is signed with the secret that was shown");

        receiver.status = 500;
        await page.goto(webhook);
        await press(page, "Send a test");
        await until("the second test", () => came("webhook.test").length === 2);
        await page.goto(webhook);
        const failed = page.locator("tbody tr").filter({ hasText: "500" }).first();
        await until("its failure", async () => {
          await page.reload();
          return (await failed.count()) === 1;
        });
        await failed.getByRole("link").first().click();
        assert.equal(await title(page), "Delivery");
        await page.getByText("not now").waitFor();
        receiver.status = 204;
        await page.getByRole("button", { name: /Try now|Send again/ }).click();
        await until("it again", () => came("webhook.test").length >= 3);
        const ids = came("webhook.test").map((it) => it.id);
        assert.equal(ids.at(-1), ids[1], "every repeat has the same id");
        await until("delivered", async () => {
          await page.reload();
          return (await page.locator("main .pill.good").count()) > 0;
        });
      });
    });

    test("makes an API key that is shown once, and ends it with all that it opened", async () => {
      await people({}, async (page, context) => {
        await context.grantPermissions(["clipboard-read", "clipboard-write"]);
        await page.goto("/keys/api/new");
        await page.getByLabel("Name", { exact: true }).fill("Reader");
        await page.getByRole("checkbox", { name: /^read/ }).check();
        await press(page, "Make the API key");
        const key = (await page.locator("#secret").innerText()).trim();
        await press(page, "Copy");
        await page.getByRole("button", { name: "Copied" }).waitFor();
        assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
        await go(page, "To the keys");
        assert.ok(!(await page.content()).includes(key));

        const other = await visitor(chromium, server);
        await signIn(other.page, key, "/licenses");
        assert.equal(await other.page.getByRole("link", { name: "New license" }).count(), 0);
        await page.getByRole("link", { name: "Revoke Reader" }).click();
        await press(page, "Revoke it for ever");
        await page.getByRole("heading", { level: 1, name: "Keys" }).waitFor();
        await other.page.goto("/licenses");
        assert.equal(await title(other.page), "Sign in", "its session ended with it");
        await other.context.close();
      });
    });

    test("shows who did what, and that nobody has changed it", async () => {
      await people({}, async (page) => {
        await page.goto("/audit");
        assert.match(await page.locator("main").innerText(), /license\.revoked/);
        await page.goto("/audit/verification");
        assert.match(await page.getByRole("status").innerText(), /^Intact up to no\. \d/);
      });
    });

    test("reads and writes without JavaScript", async () => {
      await people({ javaScriptEnabled: false }, async (page) => {
        await page.goto("/licenses");
        await page.getByLabel("Search").fill("fjord");
        await press(page, "Show");
        assert.equal(await page.locator("#results tbody tr").count(), 1);
        await page.goto("/licenses/new");
        await page.getByLabel("Product", { exact: true }).selectOption({ label: NAME });
        await page.getByLabel("Name", { exact: true }).fill("Plain Paper Ltd");
        await press(page, "Preview");
        assert.match(await page.locator("#preview").innerText(), /Plain Paper Ltd/);
        await press(page, "Make the license");
        await go(page, "To the license");
        assert.equal(await title(page), "Plain Paper Ltd");
        await go(page, "Suspend");
        await press(page, "Suspend");
        assert.equal(await page.locator(".head .pill").innerText(), "suspended");
      });
    });

    test("is made in little time with many licenses", { skip: !many }, async (it) => {
      const figures = async () => (await server.api("GET", "/reports/series")).as_of;
      await until("the figures", figures, 60);
      await people({}, async (page) => {
        const pages = await pagesOf(page, server.origin);
        assert.deepEqual(KNOWN.filter((kind) => !pages.has(kind)), []);
        server.took.length = 0;
        for (let turn = 0; turn < 7; turn += 1) {
          for (const path of pages.values()) {
            assert.equal((await page.request.get(path)).status(), 200, path);
          }
        }
      });
      const times = pageTimes(server.took);
      assert.ok(times.length >= KNOWN.length, `${times.length} routes are in the log`);
      it.diagnostic(`tried: ${times.length} pages with ${MANY.toLocaleString("en")} licenses`);
      for (const { route, median } of times) {
        it.diagnostic(`${route}: ${(median * 1e3).toFixed(1)} ms at the median`);
        if (soak) assert.ok(median <= SECONDS_MAX, `${route} takes ${median} s`);
      }
    });
  });
}
