'use strict'
// Receives webhooks of a license server, or of anybody who signs them by Standard Webhooks:
// `licentia/webhooks`.

const { verifyWebhook } = require('./addon.js').load()
const { instant, members, text, webhookData, wrongCall, wrongType } = require('./checks.js')
const { headerList } = require('./exchange.js')

const SECOND = 1000
/**
 * For how long ids are remembered. An event may come again after that: write its id into your
 * database with what you do for it.
 */
const WINDOW = 4 * 86_400
/** How many of them. */
const IDS = 100_000

function verify(body, headers, secrets, settings = {}) {
  const { now } = members('the options', settings, ['now'])
  return eventOf(checked(body, headers, secretList(secrets), now), body)
}

function verifySignature(body, headers, secrets, settings = {}) {
  const { now } = members('the options', settings, ['now'])
  return checked(body, headers, secretList(secrets), now).sentAt
}

class Receiver {
  #secrets
  #window
  #limit
  #busy = new Set()
  /** When each was processed, the oldest first. */
  #done = new Map()

  constructor(secrets, settings = {}) {
    const { window = WINDOW, limit = IDS } =
      members('the options', settings, ['window', 'limit'])
    this.#window = atLeast('window', window, 600) * SECOND
    this.#limit = atLeast('limit', limit, 1)
    this.#secrets = secretList(secrets)
    try {
      checked('', PROBE, this.#secrets)
    } catch (error) {
      // As it should be: the secrets can be asked.
      if (error.code !== 'bad_signature') throw error
    }
  }

  async process(body, headers, work) {
    if (typeof work !== 'function') throw wrongType('the work', 'a function', work)
    const event = verify(body, headers, this.#secrets)
    this.#begin(event.id)
    try {
      const result = await work(event)
      this.#done.set(event.id, performance.now())
      return result
    } finally {
      this.#busy.delete(event.id)
    }
  }

  forget(id) {
    this.#done.delete(text('the id', id))
  }

  #begin(id) {
    const old = performance.now() - this.#window
    for (const [first, at] of this.#done) {
      if (at >= old && this.#done.size <= this.#limit) break
      this.#done.delete(first)
    }
    if (this.#done.has(id)) {
      throw failure('already_used', `the webhook ${id} was processed already: answer with a ` +
        'status of 2xx, and do nothing')
    }
    if (this.#busy.has(id)) {
      throw failure('busy', `the webhook ${id} is being processed: answer with the status 503, ` +
        'and it comes again')
    }
    this.#busy.add(id)
  }
}

const PROBE = { 'webhook-id': '_', 'webhook-timestamp': '0', 'webhook-signature': 'v1,' }

/** One secret, or several while one follows another. */
function secretList(secrets) {
  const list = Array.isArray(secrets) ? secrets : [secrets]
  return list.map((secret) => text('a secret', secret))
}

function checked(body, headers, secrets, now) {
  const at = instant(now) ?? Math.floor(Date.now() / SECOND)
  const { id, sent } = verifyWebhook(webhookData(body), headerList(headers), secrets, at)
  return { id, sentAt: new Date(sent * SECOND) }
}

function eventOf({ id, sentAt }, body) {
  const envelope = parsed(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'))
  const { type, data = {} } = envelope ?? {}
  if (typeof type !== 'string' || typeof data !== 'object' || data === null ||
    Array.isArray(data)) {
    throw failure('malformed', 'the webhook has no type, or no data: ask whoever sends it')
  }
  const created = envelope.created_at ?? envelope.timestamp ?? null
  const createdAt = created === null ? null : new Date(created)
  if (createdAt !== null && Number.isNaN(createdAt.getTime())) {
    throw failure('malformed', 'the webhook has no such time: ask whoever sends it')
  }
  return Object.freeze({ id, type, createdAt, data, sentAt })
}

function parsed(body) {
  try {
    return JSON.parse(body)
  } catch {
    throw failure('malformed', 'the webhook is no JSON: ask whoever sends it')
  }
}

function atLeast(what, value, least) {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value)
  if (value >= least) return value
  throw wrongCall(`${what} is ${value}, not ${least} or more`)
}

function failure(code, message) {
  return Object.assign(new Error(message), { code })
}

Object.freeze(Receiver.prototype)
Object.freeze(Receiver)

module.exports = { Receiver, verify, verifySignature }
