// Somebody's receiver of webhooks: it checks the signature, and keeps what came.

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

/** Starts one. `status` is what it answers; `secret` is what it checks with, once it is known. */
export async function startReceiver() {
  const receiver = { status: 204, secret: undefined, came: [] };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { "webhook-id": id, "webhook-timestamp": at } = request.headers;
      const signed = isSigned(receiver.secret, `${id}.${at}.${body}`, request.headers);
      receiver.came.push({ id, signed, body: JSON.parse(body) });
      response.writeHead(receiver.status).end(receiver.status === 204 ? undefined : "not now");
    });
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  receiver.url = `http://127.0.0.1:${server.address().port}/hook`;
  receiver.stop = () => new Promise((done) => server.close(done));
  return receiver;
}

/** Standard Webhooks 1.0.0: HMAC-SHA256 with what follows `whsec_`. */
function isSigned(secret, text, headers) {
  if (!secret) return false;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const own = createHmac("sha256", key).update(text).digest();
  const all = (headers["webhook-signature"] ?? "").split(" ").map((it) => it.split(","));
  return all.some(([version, value]) => {
    const given = Buffer.from(value ?? "", "base64");
    return version === "v1" && given.length === own.length && timingSafeEqual(given, own);
  });
}
