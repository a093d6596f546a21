'use strict'
// Finds the native addon of this platform, and loads it.

const { existsSync } = require('node:fs')
const path = require('node:path')

/** The C libraries an addon can be for: only Linux has a choice. */
const LIBCS = process.platform === 'linux' ? ['gnu', 'musl'] : ['']

function fileName(libc) {
  const target = [process.platform, process.arch, libc].filter(Boolean).join('-')
  return `licentia.${target}.node`
}

/** The C library that this Node runs on. Asking takes milliseconds. */
function libc() {
  if (process.platform !== 'linux') return ''
  return process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'
}

function load(folder = __dirname) {
  const names = LIBCS.map(fileName)
  const found = names.filter((name) => existsSync(path.join(folder, name)))
  // One is right, or says itself why it cannot be loaded. Of two, the right one.
  const name = found.length > 1 ? fileName(libc()) : found[0]
  if (name === undefined) {
    throw noAddon(`there is no ${names.join(' and no ')} in ${folder}`)
  }
  try {
    return require(path.join(folder, name))
  } catch (cause) {
    throw noAddon(`${path.join(folder, name)} cannot be loaded (${cause.message})`, { cause })
  }
}

function noAddon(what, options) {
  const remedy = 'build it with `npm run build` in bindings/node, which needs cargo, or install ' +
    `the package for ${process.platform}-${process.arch}`
  const error = new Error(`licentia has no native addon here: ${what}: ${remedy}`, options)
  return Object.assign(error, { code: 'ERR_LICENTIA_NO_ADDON' })
}

module.exports = { fileName, libc, load }
