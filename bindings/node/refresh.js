'use strict'
// Keeps an installation in sync with the vendor's server by itself: `licentia/refresh`. There is no
// thread in it and no process: a timer of the event loop, for which nothing waits at its end.

const { members, wrongType } = require('./checks.js')

// All of them in seconds.
const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

/**
 * Those who come due at the same time, such as the processes of a cluster, begin within so much:
 * whoever comes first asks for all of them.
 */
const SPREAD = 30

function keepSynced(installation, settings = {}) {
  if (typeof installation?.sync !== 'function' || typeof installation.status !== 'function') {
    throw wrongType('the first argument', 'an Installation', installation)
  }
  const { signal, onError = () => {} } = members('the options', settings, ['signal', 'onError'])
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw wrongType('signal', 'an AbortSignal', signal)
  }
  if (typeof onError !== 'function') throw wrongType('onError', 'a function', onError)
  return start(new Refresher(installation, onError), signal)
}

function start(refresher, signal) {
  const halt = () => refresher.halt()
  const ended = signal?.aborted ? Promise.resolve() : refresher.run()
  signal?.addEventListener('abort', halt, { once: true })
  const stop = async () => {
    signal?.removeEventListener('abort', halt)
    halt()
    await ended
  }
  return Object.freeze({ stop })
}

class Refresher {
  #installation
  #onError
  #stopped = false
  #wake = () => {}
  /** The license, and when its server had last answered, as of the last look. */
  #known = { id: undefined, last: undefined }
  /** When to ask, by the clock of the status. */
  #due = Infinity
  /** Whether it was asked since the last look, and whether it answered. */
  #asked = false
  #answered = false
  /** For how long it is left alone, whatever the status says. */
  #rest = 0
  #failures = 0

  constructor(installation, onError) {
    this.#installation = installation
    this.#onError = onError
  }

  halt() {
    this.#stopped = true
    this.#wake()
  }

  async run() {
    while (!this.#stopped) {
      // A machine may sleep meanwhile, a clock be set, and another process ask.
      const nap = Math.min(await this.#left(), HOUR)
      await this.#sleep(nap + Math.random() * SPREAD)
      this.#rest = Math.max(0, this.#rest - nap)
      if (!this.#stopped && await this.#left() === 0) await this.#sync()
    }
  }

  /** For how long there is nothing to ask. */
  async #left() {
    try {
      const wait = this.#look(this.#installation.status())
      return Math.max(wait, this.#rest)
    } catch (error) {
      await this.#tell(error)
      return MINUTE
    }
  }

  #look({ at, license, reason, issuer: { last_contact: last, next_contact: next } }) {
    // Where its key was stolen, there is none until the server gives another for it.
    if (license === null && reason !== 'key_compromised') return MINUTE
    const [id, before] = [license?.id, this.#known]
    const isAnother = id !== before.id || last !== before.last
    // Who was never asked is asked now; who does not say when, once a day.
    const due = next ?? (last === null ? at : last + DAY)
    // That another process has failed puts nothing off: one that always does would for ever.
    this.#due = isAnother || this.#asked ? due : Math.min(this.#due, due)
    const hasAnswered = this.#answered ||
      (last !== null && before.last !== undefined && id === before.id && last !== before.last)
    this.#known = { id, last }
    this.#asked = this.#answered = false
    if (at < this.#due) return this.#due - at
    // Somebody has just answered, and by the clock here it is time again: then that is wrong.
    if (hasAnswered) {
      const rest = last === null ? HOUR : Math.min(due - last, DAY)
      this.#rest = Math.max(this.#rest, rest)
    }
    return 0
  }

  async #sync() {
    try {
      await this.#installation.sync()
      this.#asked = this.#answered = true
      this.#failures = 0
      this.#rest = MINUTE
    } catch (error) {
      // Without a server there is nobody to ask, and nothing wrong with that.
      if (error?.code === 'no_transport') {
        this.#rest = MINUTE
        return
      }
      this.#asked = true
      this.#rest = Math.min(MINUTE * 2 ** this.#failures, HOUR)
      this.#failures += 1
      await this.#tell(error)
    }
  }

  async #tell(error) {
    try {
      await this.#onError(error)
    } catch (thrown) {
      // The host's own fault: it hears of it, and its license is kept in sync all the same.
      const what = `onError of keepSynced has failed: ${thrown?.stack ?? String(thrown)}`
      process.emitWarning(what, { type: 'LicentiaWarning' })
    }
  }

  /** Until then, or until it is stopped, which it may have been already. */
  #sleep(seconds) {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000)
      timer.unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

module.exports = { keepSynced }
