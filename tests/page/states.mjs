// What the page is shown with: every state of the kit, and what no kit has.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signer } from "./sign.mjs";

const root = new URL("../../", import.meta.url).pathname;
const kit = JSON.parse(readFileSync(join(root, "bindings/python/python/licentia/testing.json")));
const day = 86_400;
const noon = 1_781_524_800; // 2026-06-15T12:00:00Z, as the kit has it.

export const acme = signer(7);

/** The claims of a license that began a hundred days ago and ends in ninety. */
export function claims(license = {}, more = {}) {
  return {
    iss: "https://licenses.acme.example",
    aud: "myapp",
    sub: "cust_8231",
    jti: "tok-0001",
    iat: noon - 100 * day,
    ...more,
    license: {
      id: "7c9e6679-7425-40de-944b-e07fc1f90ae7",
      serial: "LIC-MYAPP-A1B2C3D4",
      type: "subscription",
      tier: "Enterprise",
      customer: { name: "Example GmbH", email: "it@example.com" },
      product: { name: "MyApp Server" },
      valid_from: noon - 100 * day,
      valid_until: noon + 90 * day,
      features: [],
      ...license,
    },
  };
}

const FEATURES = [
  { id: "exports", name: "Exports", meter: "count", per: "month", max: 50_000, over: 10 },
  { id: "users", name: "Named users", meter: "level", max: 250 },
  { id: "devices", name: "Devices", meter: "distinct", days: 30, max: 1_000 },
  { id: "api-calls", name: "API calls", meter: "count", per: "day", max: 100, then: "count" },
  { id: "jobs", name: "Jobs", meter: "count", per: "ever" },
  { id: "reports", name: "Reports" },
  { id: "sso", name: "Single sign-on" },
  { id: "audit-log", name: "Audit log" },
  { id: "dark-matter", name: "Dark matter", meter: "volume" },
];

const STAGES = { ended: { warn: 0, read_only: 14, deny: 38 } };

const word = "Donaudampfschifffahrtsgesellschaftskapitän".repeat(20);
const hostile = "</style></script><script>alert(1)</script><img src=x onerror=alert(1)> & \"'`";

const BOUND = { machine: { v: 1, need: 1, parts: { machine_id: ["AAAAAAAAAAAAAAAAAAAAAA"] } } };

/** What no kit has, each with the license that is in its folder's file. */
const own = {
  rich: claims({
    features: FEATURES,
    stages: STAGES,
    support_until: noon + 20 * day,
    seats: 250,
    machines: 3,
    description: "Production, Frankfurt",
  }),
  perpetual: claims({ type: "perpetual", valid_until: null, features: FEATURES.slice(5, 8) }),
  hostile: claims({
    serial: hostile,
    tier: hostile,
    customer: { name: hostile, email: hostile, account: "\u202eevil\u0007" },
    product: { name: hostile },
    description: word,
    features: [
      { id: "a".repeat(64), name: hostile, meter: "count", per: "month", max: 0 },
      { id: "b", name: word.slice(0, 200), meter: "level", max: 9_007_199_254_740_991 },
      { id: "c", name: "שלום עולם \u202e & مرحبا 🙂", meter: "distinct", days: 366 },
      { id: "d".repeat(64), name: "🙂".repeat(60) },
    ],
  }),
  endless: claims({
    customer: { name: "x".repeat(4_000) },
    product: { name: "ü ".repeat(1_300) },
    valid_until: 253_402_300_799,
    support_until: 0,
  }),
  thousand: claims({
    features: Array.from({ length: 1_024 }, (_, at) => ({
      id: `f-${at}`,
      ...(at % 20 ? {} : { meter: "count", per: "month", max: at % 3 }),
    })),
  }),
  elsewhere: claims({ binding: BOUND }),
};

/** A second license that begins when the first has ended, and a day after. */
const waiting = claims(
  { valid_from: noon + 91 * day, valid_until: noon + 456 * day, serial: "LIC-MYAPP-E5F6" },
  { jti: "tok-0002", iat: noon - day },
);

function write(folder, files) {
  mkdirSync(folder);
  for (const [name, { size, base64 }] of Object.entries(files)) {
    const bytes = Buffer.alloc(size);
    Buffer.from(base64, "base64").copy(bytes);
    writeFileSync(join(folder, name), bytes);
  }
}

/** Prepares all in a new folder: the file for a host, and the names of what it serves. */
export function prepare() {
  const place = mkdtempSync(join(tmpdir(), "licentia-page-"));
  const lines = [
    "user administrator-0123456789 ada 7",
    "user reader-0123456789 bob 1",
    "user nobody-0123456789 eve 2",
  ];
  const names = [];
  const serve = (name, code, keys, settings, site) => {
    names.push(name);
    lines.push(`installation /${name} ${join(place, name)} ${code}`, `keys ${keys}`);
    lines.push(`site mount /${name}`);
    lines.push(...Object.entries(settings).map(([key, value]) => `set ${key} ${value}`));
    lines.push(...Object.entries(site).map(([key, value]) => `site ${key} ${value}`));
  };
  for (const state of kit.states) {
    write(join(place, state.name), kit.folders[state.folder]);
    const settings = { ...kit.settings, ...state.settings, clock: state.clock };
    serve(state.name, kit.product, kit.keys, settings, {});
  }
  const settings = { machine: "licentia-page", clock: noon, vendor: "Acme" };
  for (const [name, license] of Object.entries(own)) {
    mkdirSync(join(place, name));
    serve(name, "myapp", acme.keys, settings, { license: acme.license(license) });
  }
  const file = join(place, "license.lic");
  writeFileSync(file, acme.license(waiting));
  mkdirSync(join(place, "sources"));
  const site = { license: acme.license(own.rich), license_file: file, license_env: "NO_SUCH" };
  serve("sources", "myapp", acme.keys, settings, site);
  mkdirSync(join(place, "secret"));
  const secret = { license_file: acme.license(own.rich) };
  serve("secret", "myapp", acme.keys, settings, secret);
  for (const name of ["form", "saas"]) {
    mkdirSync(join(place, name));
    serve(name, "myapp", acme.keys, { ...settings, ...SETTINGS[name] }, {});
  }
  const spec = join(place, "spec");
  writeFileSync(spec, `${lines.join("\n")}\n`);
  return { place, spec, names };
}

const SETTINGS = { form: {}, saas: { deployment: "saas" } };
