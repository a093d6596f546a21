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
const SPREAD = 10

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
    let rest = 0
    while (!this.#stopped) {
      const wait = Math.max(rest, await this.#left())
      // A machine may sleep meanwhile, a clock be set, and another process ask.
      await this.#sleep(Math.min(wait, HOUR) + Math.random() * SPREAD)
      if (this.#stopped) break
      rest = await this.#left() > 0 ? 0 : await this.#sync()
    }
  }

  /** For how long there is nothing to ask. */
  async #left() {
    try {
      const { at, license, issuer } = this.#installation.status()
      if (license === null) return MINUTE
      const { last_contact: last, next_contact: next } = issuer
      // Who has not been asked yet is asked now; who did not say when, is asked once a day.
      const due = next ?? (last === null ? at : last + DAY)
      return Math.max(0, due - at)
    } catch (error) {
      await this.#tell(error)
      return MINUTE
    }
  }

  /** Gives for how long it is left alone afterwards, whatever the status says. */
  async #sync() {
    try {
      await this.#installation.sync()
      this.#failures = 0
      return MINUTE
    } catch (error) {
      await this.#tell(error)
      this.#failures += 1
      return Math.min(MINUTE * 2 ** (this.#failures - 1), HOUR)
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
