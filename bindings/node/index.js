'use strict'
// The classes. They check types, ask the native half once per license, and answer by themselves:
// entering native code costs more than all of `allows`.

const { types } = require('node:util')
const { NativeProduct, TEXT_MAX } = require('./addon.js').load()

// Both clocks, this one and the native one, are the system's, whatever a test does to `Date`.
const { now } = Date

// What is in front of a text is for the core to judge, which does so alike in every language.
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

// Nobody else has it, so nobody else makes a License.
const VERIFIED = Symbol('verified')

class License {
  #facts
  #limits
  #from
  #until
  #clock

  constructor(proof, facts, clock) {
    if (proof !== VERIFIED) throw wrongCall('a License is made by verify and inspect only')
    this.#facts = facts
    this.#limits = new Map(facts.features.map((id, at) => [id, facts.limits[at]]))
    this.#from = facts.from * 1000
    this.#until = facts.until * 1000
    this.#clock = clock
    Object.freeze(this)
  }

  allows(feature) {
    return this.#limits.has(feature) && this.#inForce()
  }

  limit(feature) {
    return this.#limits.has(feature) && this.#inForce() ? this.#limits.get(feature) : 0
  }

  get features() {
    return new Map(this.#limits)
  }

  get serial() {
    return this.#facts.serial
  }

  get customer() {
    return this.#facts.customer
  }

  get expires() {
    const { expires } = this.#facts
    return expires === null ? null : new Date(expires * 1000)
  }

  get json() {
    return this.#facts.json
  }

  toJSON() {
    return JSON.parse(this.#facts.json)
  }

  /** Dates pass and clocks are set while a license is held: this is asked every time. */
  #inForce() {
    const at = this.#clock.stopped ?? now()
    return this.#from <= at && at < this.#until
  }
}

class Product {
  #native
  #code
  // Shared with every license of this product. `stopped` is in milliseconds.
  #clock = { stopped: null }

  constructor(code, keys, options = {}) {
    if (!isPlain(options)) throw wrongType('options', 'a plain object', options)
    this.#code = text('code', code)
    this.#native = new NativeProduct(this.#code, keyText(keys))
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) this.set(name, value)
    }
    if (new.target === Product) Object.freeze(this)
  }

  get code() {
    return this.#code
  }

  set(name, value) {
    const key = settingName(text('the name of a setting', name))
    const stopped = this.#native.set(key, settingText(key, value))
    this.#clock.stopped = stopped === null ? null : stopped * 1000
  }

  trust(keys) {
    this.#native.trust(keyText(keys))
  }

  async machine() {
    try {
      return JSON.parse(await this.#native.machine())
    } catch (error) {
      // It was made outside of any JavaScript: say who asked.
      Error.captureStackTrace(error)
      throw error
    }
  }

  verify(data) {
    return new License(VERIFIED, this.#native.verify(licenseData(data)), this.#clock)
  }

  inspect(data) {
    return new License(VERIFIED, this.#native.inspect(licenseData(data)), this.#clock)
  }
}

// An answer is not replaced by accident, in one module for all of them.
for (const made of [License, Product]) {
  Object.freeze(made.prototype)
  Object.freeze(made)
}

/**
 * Whether all that an object has to say is in its own members: those of a Map or of an instance
 * are elsewhere, and would be passed over. An object of another realm, such as a test's, will do.
 */
function isPlain(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf'))
}

/** `machineFile` as in an object of options, or `machine_file` as in docs/settings.md. */
function settingName(name) {
  // What starts with a capital is no option in either spelling: it is refused as it was written.
  if (!/^[a-z]/.test(name)) return name
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function settingText(name, value) {
  if (name === 'clock' && typeof value === 'number') return String(Math.floor(value))
  if (name === 'clock' && types.isDate(value)) return String(Math.floor(value.getTime() / 1000))
  if (name === 'machine_exclude' && Array.isArray(value)) {
    return value.map((kind) => text('a kind in machine_exclude', kind)).join(',')
  }
  return text(`the setting ${name}`, value)
}

/** A key set is text; read from a file without an encoding, it is bytes. */
function keyText(keys) {
  if (types.isUint8Array(keys)) return text('keys', UTF8.decode(keys))
  return text('keys', keys, 'a string or a Uint8Array')
}

function licenseData(data) {
  if (!types.isUint8Array(data)) return text('the license', data, 'a string or a Uint8Array')
  if (data.byteLength === 0) {
    if (isDetached(data)) throw wrongCall('the license was transferred to another thread')
    return ''
  }
  // Another thread can write to shared memory while it is being read here.
  if (!types.isSharedArrayBuffer(data.buffer)) return data
  return new Uint8Array(data.subarray(0, TEXT_MAX + 1))
}

/** Node 18 has no `buffer.detached`: there, a new view of it throws. */
function isDetached({ buffer }) {
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

/** What is longer than anything accepted is cut before it is copied, and is still too long. */
function text(what, value, wanted = 'a string') {
  if (typeof value !== 'string') throw wrongType(what, wanted, value)
  return value.length > TEXT_MAX ? value.slice(0, TEXT_MAX + 1) : value
}

function wrongType(what, wanted, value) {
  return wrongCall(`${what} is ${kindOf(value)}, not ${wanted}`)
}

function kindOf(value) {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object'
  return `a ${typeof value}`
}

function wrongCall(what) {
  return Object.assign(new TypeError(`${what}: correct the call`), { code: 'invalid_argument' })
}

module.exports = { License, Product }
