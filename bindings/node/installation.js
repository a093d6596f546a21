'use strict'
// The class Installation. It answers `allows` by itself, from what the native half said of this
// second: entering native code costs more than all of it.

const {
  documentData, instant, members, options, settingName, settingText, text, wholeNumber, wrongCall,
  wrongType,
} = require('./checks.js')
const { now } = require('./clock.js')
const { answerOf, exchangeOf } = require('./exchange.js')
const { Recorder, Shared, afar, asked } = require('./promises.js')
const { GIVEN, Seat } = require('./seat.js')

/** What may be done, in rising order. */
const ACCESS = ['deny', 'read_only', 'warn', 'allow']
const DENY = ACCESS.indexOf('deny')
const WARN = ACCESS.indexOf('warn')

// Nobody else has it, so nobody else makes an Installation.
const OPENED = Symbol('opened')

class Installation {
  #native
  #clock
  #recorder
  #syncs
  // What is allowed, while the product's clock is from the one time to before the other, and for
  // a second of real time: a stopped clock would never ask again. All in milliseconds.
  #levels = new Map()
  #otherwise = DENY
  #from = Infinity
  #until = -Infinity
  #seen = -Infinity

  constructor(proof, native, clock) {
    if (proof !== OPENED) throw wrongCall('an Installation is made by open only')
    this.#native = native
    this.#clock = clock
    this.#recorder = new Recorder(native, () => this.#forget())
    this.#syncs = new Shared(() => afar(() => native.sync()))
    Object.freeze(this)
  }

  set(name, value) {
    const key = settingName(name)
    this.#native.set(key, settingText(key, value))
    this.#forget()
  }

  allows(feature) {
    return this.#level(feature) >= WARN
  }

  access(feature) {
    return ACCESS[this.#level(feature)]
  }

  gate(feature) {
    const id = text('the feature', feature)
    return this.allows(id) ? null : this.#native.gate(id)
  }

  status(at) {
    return JSON.parse(this.#native.status(instant(at)))
  }

  explain(at) {
    return JSON.parse(this.#native.explain(instant(at)))
  }

  request(what = 'license', argument) {
    const given = argument === undefined ? null : text('the argument of a request', argument)
    return this.#native.request(text('what to request', what), given)
  }

  usage(feature) {
    const { used, limit, resetsAt } = this.#native.usage(text('the feature', feature))
    return { used, limit, resetsAt: resetsAt === null ? null : new Date(resetsAt * 1000) }
  }

  async apply(data, given = {}) {
    let older = false
    for (const [name, value] of options(given)) {
      if (name !== 'older') throw wrongCall(`apply has no option ${name}`)
      if (typeof value !== 'boolean') throw wrongType('older', 'a boolean', value)
      older = value
    }
    return await this.#change(this.#native.apply(documentData(data), older))
  }

  async remove() {
    return await this.#change(this.#native.remove())
  }

  async record(feature, amount = 1) {
    const id = text('the feature', feature)
    return await asked(this.#recorder.record(id, wholeNumber('the amount', amount)))
  }

  recordLater(feature, amount = 1) {
    const id = text('the feature', feature)
    this.#native.recordLater(id, wholeNumber('the amount', amount))
    this.#forget()
  }

  async recordLevel(feature, level) {
    const id = text('the feature', feature)
    return await this.#change(this.#native.recordLevel(id, wholeNumber('the level', level)))
  }

  async recordKey(feature, key) {
    const id = text('the feature', feature)
    return await this.#change(this.#native.recordKey(id, text('the key', key)))
  }

  async firstUse(at) {
    return await this.#change(this.#native.firstUse(instant(at)))
  }

  async flush() {
    return await asked(this.#native.flush())
  }

  async call(what, argument) {
    const word = text('what to ask', what)
    const given = argument === undefined ? null : text('the argument of a call', argument)
    if (word === 'sync' && !given) return await this.sync()
    return await this.#change(afar(() => this.#native.call(word, given)))
  }

  async sync() {
    return await this.#change(this.#syncs.ask())
  }

  async seat(holder, given = {}) {
    const { borrowDays = 0 } = members('the options', given, ['borrowDays'])
    const days = wholeNumber('borrowDays', borrowDays)
    const name = text('the holder', holder)
    const native = await this.#change(afar(() => this.#native.seat(name, days)))
    return new Seat(GIVEN, native, (promise) => this.#change(promise))
  }

  serves(target) {
    return this.#native.serves(text('the target', target))
  }

  async handle(exchange) {
    const { request, body } = exchangeOf(exchange)
    if (request.method === 'GET' || request.method === 'HEAD') {
      return answerOf(await asked(this.#native.handle(request, body)))
    }
    // It may wait for a network: also for its turn, and meanwhile the body is the caller's again.
    const kept = typeof body === 'string' ? body : Uint8Array.from(body)
    return answerOf(await this.#change(afar(() => this.#native.handle(request, kept))))
  }

  close() {
    this.#native.flushNow()
  }

  /** Whether the product's clock and the real one are where the native half was asked. */
  #level(feature) {
    const real = now()
    const at = this.#clock.stopped ?? real
    const known = this.#from <= at && at < this.#until &&
      this.#seen <= real && real < this.#seen + 1000
    if (!known) this.#look(real)
    const level = this.#levels.get(feature)
    if (level !== undefined) return level
    return typeof feature === 'string' ? this.#otherwise : DENY
  }

  #look(real) {
    const { features, access, otherwise, from, until } = this.#native.look()
    this.#levels = new Map(features.map((id, at) => [id, access[at]]))
    this.#otherwise = otherwise
    this.#from = from * 1000
    this.#until = until * 1000
    this.#seen = real
  }

  /** What was said is said anew to the next who asks. */
  #forget() {
    this.#until = -Infinity
  }

  async #change(promise) {
    try {
      return await asked(promise)
    } finally {
      this.#forget()
    }
  }
}

module.exports = { Installation, OPENED }
