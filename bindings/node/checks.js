'use strict'
// What calls are given: checked here, and turned into what the native half takes.

const { types } = require('node:util')
const { BODY_MAX, DOCUMENT_MAX, TEXT_MAX, WEBHOOK_MAX } = require('./addon.js').load()

// What is in front of a text is for the core to judge, which does so alike in every language.
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The members of an object of options that are given. */
function options(value, what = 'options') {
  if (!isPlain(value)) throw wrongType(what, 'a plain object', value)
  return Object.entries(value).filter(([, given]) => given !== undefined)
}

/** The same for an object that has these members and no others: a slip is not passed over. */
function members(what, value, names) {
  const given = options(value, what)
  const other = given.find(([name]) => !names.includes(name))
  if (other === undefined) return Object.fromEntries(given)
  throw wrongCall(`${what} has no member ${other[0]}, only ${names.join(', ')}`)
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
function settingName(value) {
  const name = text('the name of a setting', value)
  // What starts with a capital is no option in either spelling: it is refused as it was written.
  if (!/^[a-z]/.test(name)) return name
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** Settings that are a number: of days, or of seconds. */
const NUMBERS = new Set(['grace_days', 'warning_days', 'lease_window', 'server_timeout'])

/** Settings that are a list, and what each of it is. */
const LISTS = new Map([['machine_exclude', 'a kind'], ['server', 'a URL']])

function settingText(name, value) {
  if (name === 'clock' && typeof value === 'number') return String(Math.floor(value))
  if (name === 'clock' && types.isDate(value)) return String(Math.floor(value.getTime() / 1000))
  if (NUMBERS.has(name) && typeof value === 'number') return String(value)
  if (name === 'license') return licenseText(value)
  if (LISTS.has(name) && Array.isArray(value)) {
    return value.map((one) => text(`${LISTS.get(name)} in ${name}`, one)).join(',')
  }
  return text(`the setting ${name}`, value)
}

/** As for keys: a file may be read without an encoding. */
function licenseText(value) {
  const data = licenseData(value)
  return typeof data === 'string' ? data : UTF8.decode(data)
}

/** A key set is text; read from a file without an encoding, it is bytes. */
function keyText(keys) {
  if (types.isUint8Array(keys)) return text('keys', UTF8.decode(keys))
  return text('keys', keys, 'a string or a Uint8Array')
}

function licenseData(data) {
  return signedData('the license', data, TEXT_MAX)
}

/** The body of a request: no more of it than shows that it is too long. */
function bodyData(data) {
  if (data === null) return ''
  const body = signedData('the body', data, BODY_MAX)
  return typeof body === 'string' ? body : body.subarray(0, BODY_MAX + 1)
}

/** The body of a webhook, as it was received. */
function webhookData(data) {
  const body = signedData('the body', data, WEBHOOK_MAX)
  return typeof body === 'string' ? body : body.subarray(0, WEBHOOK_MAX + 1)
}

/** Anything a vendor signs: a list of revocations is larger than a license. */
function documentData(data) {
  return signedData('the document', data, DOCUMENT_MAX)
}

function signedData(what, data, max) {
  if (!types.isUint8Array(data)) return text(what, data, 'a string or a Uint8Array', max)
  if (data.byteLength === 0) {
    if (isDetached(data)) throw wrongCall(`${what} was transferred to another thread`)
    return ''
  }
  // Another thread can write to shared memory while it is being read here.
  if (!types.isSharedArrayBuffer(data.buffer)) return data
  return new Uint8Array(data.subarray(0, max + 1))
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
function text(what, value, wanted = 'a string', max = TEXT_MAX) {
  if (typeof value !== 'string') throw wrongType(what, wanted, value)
  return value.length > max ? value.slice(0, max + 1) : value
}

/** An amount or a level: every one that a double holds exactly. */
function wholeNumber(what, value) {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw wrongCall(`${what} is ${value}, not a whole number from 0 to 2^53 - 1`)
}

/** A time in seconds, of a Date, of seconds, or of nothing, which is null: now. */
function instant(at) {
  if (at === undefined) return null
  const isNumber = typeof at === 'number'
  if (!isNumber && !types.isDate(at)) throw wrongType('the time', 'a Date or a number', at)
  const seconds = Math.floor(isNumber ? at : at.getTime() / 1000)
  if (Number.isSafeInteger(seconds)) return seconds
  throw wrongCall(`the time is ${isNumber ? at : 'an invalid Date'}, not one in seconds since 1970`)
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

module.exports = {
  bodyData, documentData, instant, isPlain, keyText, licenseData, members, options, settingName,
  settingText, text, webhookData, wholeNumber, wrongCall, wrongType,
}
