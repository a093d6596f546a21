'use strict'
// The system's time, whatever a test does to `Date`: the native half asks the same clock.

const { runInNewContext } = require('node:vm')

const unfaked = Function.prototype.toString.call(Date.now) === 'function now() { [native code] }'

/** Milliseconds since 1970. One that was replaced before this was loaded is not asked. */
const { now } = unfaked ? Date : runInNewContext('Date')

module.exports = { now }
