// Receives webhooks of a license server: each event once, and none that somebody else sends.
//
// node webhook.mjs PORT SECRET...: the secrets of its endpoint, whsec_... or whpk_...

import { createServer } from 'node:http'
import { Receiver } from 'licentia/webhooks'

const BODY_MAX = 1024 * 1024
/** What became of it: the server sends it again unless that is 2xx. */
const STATUS = new Map([
  ['already_used', 204], // it has been here before, and need not come again
  ['busy', 503], // it is being processed: if that fails, it comes again
])
const [port = '', ...secrets] = process.argv.slice(2)
const receiver = new Receiver(secrets)

/**
 * What you do with an event. When it fails, the server sends the event again.
 * @param {import('licentia/webhooks').WebhookEvent} event
 */
async function work({ id, type, data }) {
  console.log(JSON.stringify({ id, type, data }))
}

/**
 * The bytes as they came: what a parser writes again is not what was signed.
 * @param {import('node:http').IncomingMessage} request
 */
async function bodyOf(request) {
  let body = Buffer.alloc(0)
  for await (const chunk of request) {
    body = Buffer.concat([body, chunk])
    if (body.length > BODY_MAX) break
  }
  return body
}

/** @param {import('node:http').IncomingMessage} request */
async function statusOf(request) {
  if (request.method !== 'POST') return 405
  let processed = false
  try {
    await receiver.process(await bodyOf(request), request.headersDistinct, async (event) => {
      processed = true
      await work(event)
    })
    return 204
  } catch (error) {
    console.error(`${error.code}: ${error.message}`)
    return processed ? 500 : STATUS.get(error.code) ?? 400
  }
}

const server = createServer(async (request, response) =>
  response.writeHead(await statusOf(request)).end())
server.listen(Number(port), '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  console.log(`http://127.0.0.1:${port}/`)
})
