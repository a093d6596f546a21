'use strict'
// The classes. They check types, ask the native half once per license, and answer by themselves:
// entering native code costs more than all of `allows`.

const { NativeProduct } = require('./addon.js').load()
const {
  keyText, licenseData, options, settingName, settingText, text, wrongCall,
} = require('./checks.js')
const { now } = require('./clock.js')
const { Installation, OPENED } = require('./installation.js')
const { asked } = require('./promises.js')
const { Seat } = require('./seat.js')

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
  // Shared with every license and installation of this product. `stopped` is in milliseconds.
  #clock = { stopped: null }

  constructor(code, keys, settings = {}) {
    const given = options(settings)
    this.#code = text('code', code)
    this.#native = new NativeProduct(this.#code, keyText(keys))
    for (const [name, value] of given) this.set(name, value)
    if (new.target === Product) Object.freeze(this)
  }

  get code() {
    return this.#code
  }

  set(name, value) {
    const key = settingName(name)
    const stopped = this.#native.set(key, settingText(key, value))
    this.#clock.stopped = stopped === null ? null : stopped * 1000
  }

  trust(keys) {
    this.#native.trust(keyText(keys))
  }

  async machine() {
    return JSON.parse(await asked(this.#native.machine()))
  }

  open(directory, settings = {}) {
    const given = options(settings)
    const native = this.#native.open(text('the directory', directory))
    const installation = new Installation(OPENED, native, this.#clock)
    for (const [name, value] of given) installation.set(name, value)
    return installation
  }

  verify(data) {
    return new License(VERIFIED, this.#native.verify(licenseData(data)), this.#clock)
  }

  inspect(data) {
    return new License(VERIFIED, this.#native.inspect(licenseData(data)), this.#clock)
  }
}

// An answer is not replaced by accident, in one module for all of them.
for (const made of [Installation, License, Product, Seat]) {
  Object.freeze(made.prototype)
  Object.freeze(made)
}

module.exports = { Installation, License, Product, Seat }
