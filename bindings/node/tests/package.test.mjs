// The package: how it is loaded, what is in it, and what it says when it cannot be loaded.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as named from 'licentia'
import * as http from 'licentia/http'
import * as refresh from 'licentia/refresh'
import * as webhooks from 'licentia/webhooks'
import { emptyFolder } from './folder.mjs'
import { vendor } from './vendor.mjs'

const require = createRequire(import.meta.url)
const { fileName, libc } = require('../addon.js')
const HOME = fileURLToPath(new URL('..', import.meta.url))
const ADDON = fileName(libc())
const read = (name) => readFileSync(path.join(HOME, name), 'utf8')
const manifest = JSON.parse(read('package.json'))

/** A folder with the package's JavaScript, and addons with the content given. */
function packageWith(t, addons) {
  const folder = emptyFolder(t)
  for (const name of manifest.files.filter((name) => /\.m?js$/.test(name))) {
    copyFileSync(path.join(HOME, name), path.join(folder, name))
  }
  for (const [name, content] of Object.entries(addons)) {
    if (content === undefined) copyFileSync(path.join(HOME, name), path.join(folder, name))
    else writeFileSync(path.join(folder, name), content)
  }
  return folder
}

test('require and import give the same classes, by name', () => {
  const required = require('licentia')
  const classes = ['Installation', 'License', 'Product', 'Seat']
  assert.deepEqual(Object.keys(required).sort(), classes)
  assert.deepEqual(Object.keys(named).sort(), classes)
  for (const name of classes) assert.equal(required[name], named[name])
  assert.equal(require('licentia/http').handler, http.handler)
  assert.deepEqual(Object.keys(http), ['handler'])
  assert.equal(require('licentia/refresh').keepSynced, refresh.keepSynced)
  assert.deepEqual(Object.keys(refresh), ['keepSynced'])
  assert.equal(require('licentia/webhooks').Receiver, webhooks.Receiver)
  assert.deepEqual(Object.keys(webhooks), ['Receiver', 'verify', 'verifySignature'])
  const keys = vendor.keys()
  assert.ok(new required.Product('myapp', keys) instanceof named.Product)
})

test('nothing else of the package can be reached', () => {
  const files = ['addon.js', 'exchange.js', 'http.js', 'index.js', 'refresh.js', 'seat.js',
    'webhooks.js', ADDON]
  for (const inner of files) {
    assert.throws(() => require(`licentia/${inner}`), { code: 'ERR_PACKAGE_PATH_NOT_EXPORTED' })
  }
  assert.equal(require('licentia/package.json').name, 'licentia')
})

test('without an addon it says what was looked for, where, and how to get one', async (t) => {
  const folder = packageWith(t, {})
  const expected = (error) => {
    assert.equal(error.code, 'ERR_LICENTIA_NO_ADDON')
    assert.ok(error.message.includes(ADDON), error.message)
    assert.ok(error.message.includes(folder), error.message)
    assert.match(error.message, /npm run build/)
    return true
  }
  assert.throws(() => require(path.join(folder, 'index.js')), expected)
  await assert.rejects(import(pathToFileURL(path.join(folder, 'index.mjs'))), expected)
})

test('an addon that cannot be loaded is named, with the reason', (t) => {
  const folder = packageWith(t, { [ADDON]: 'not an addon' })
  assert.throws(() => require(path.join(folder, 'index.js')), (error) => {
    assert.equal(error.code, 'ERR_LICENTIA_NO_ADDON')
    assert.ok(error.message.includes(path.join(folder, ADDON)), error.message)
    assert.equal(error.cause.code, 'ERR_DLOPEN_FAILED')
    return true
  })
})

test('of two addons the one for this C library is loaded', (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has several C libraries')
  const other = fileName(libc() === 'gnu' ? 'musl' : 'gnu')
  const folder = packageWith(t, { [ADDON]: undefined, [other]: 'for another' })
  assert.equal(typeof require(path.join(folder, 'index.js')).Product, 'function')
})

test('the addon stays loaded, exports one symbol, and cannot make a key', (t) => {
  const content = readFileSync(path.join(HOME, ADDON), 'latin1')
  // From a message of core/src/secret.rs, which only the feature `issue` compiles.
  assert.ok(!content.includes('the key file '), 'built with the feature `issue`')
  if (process.platform !== 'linux') return t.skip('only Linux has symbols to look at')
  const readelf = spawnSync('readelf', ['-d', path.join(HOME, ADDON)], { encoding: 'utf8' })
  const nm = spawnSync('nm', ['-D', '--defined-only', path.join(HOME, ADDON)], { encoding: 'utf8' })
  if (readelf.error || nm.error) return t.skip('there is no readelf or nm here')
  assert.match(readelf.stdout, /NODELETE/)
  assert.match(nm.stdout, /^\w+ T napi_register_module_v1\n$/)
})

test('its version is that of the workspace', () => {
  const workspace = readFileSync(path.join(HOME, '../../Cargo.toml'), 'utf8')
  assert.equal(manifest.version, workspace.match(/^version = "(.*)"$/m)[1])
  assert.equal(JSON.parse(read('package-lock.json')).version, manifest.version)
})

test('installing it downloads and runs nothing', () => {
  assert.equal(manifest.dependencies, undefined)
  assert.equal(manifest.optionalDependencies, undefined)
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    assert.equal(manifest.scripts[script], undefined, script)
  }
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/)
})

test('packed, installed in an empty folder, it works from there', (t) => {
  const folder = emptyFolder(t)
  const npm = (...args) => execFileSync('npm', [...args, '--offline', '--no-audit', '--no-fund'], {
    cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [{ filename, files }] = JSON.parse(npm('pack', '--json', HOME))
  assert.deepEqual(files.map((file) => file.path).sort(), [
    'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'addon.js', 'checks.js', 'clock.js',
    'exchange.js', 'http.d.mts', 'http.d.ts', 'http.js', 'http.mjs', 'index.d.mts', 'index.d.ts',
    'index.js', 'index.mjs', 'installation.js', ADDON, 'package.json', 'promises.js',
    'refresh.d.mts', 'refresh.d.ts', 'refresh.js', 'refresh.mjs', 'seat.js', 'status.d.ts',
    'testing.d.mts', 'testing.d.ts', 'testing.js', 'testing.json', 'testing.mjs',
    'webhooks.d.mts', 'webhooks.d.ts', 'webhooks.js', 'webhooks.mjs',
  ].sort())
  writeFileSync(path.join(folder, 'package.json'), '{"private": true}')
  npm('install', `./${filename}`)
  writeFileSync(path.join(folder, 'keys.json'), vendor.keys())
  writeFileSync(path.join(folder, 'main.mjs'), `
    import { readFileSync } from 'node:fs'
    import { Product } from 'licentia'
    import { handler } from 'licentia/http'
    import { keepSynced } from 'licentia/refresh'
    keepSynced(new Product('myapp', readFileSync('keys.json')).open('.'))
    handler(new Product('myapp', readFileSync('keys.json')).open('.'))
    new Product('myapp', readFileSync('keys.json')).inspect('${vendor.license()}')
    console.log(import.meta.resolve?.('licentia') ?? 'licentia')`)
  const out = execFileSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8' })
  assert.ok(!out.includes(HOME), out)
})
