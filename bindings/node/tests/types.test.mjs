// index.d.ts as compilers see it: strictly, from both module systems, and in the example.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Installation, License, Product } from '../index.mjs'
import { NOW, vendor } from './vendor.mjs'

const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const FOLDER = fileURLToPath(new URL('types', import.meta.url))

/** What the compiler has to say: nothing, if all is well. */
function tsc(...args) {
  const { stdout, stderr } = spawnSync(process.execPath, [TSC, ...args], {
    cwd: FOLDER, encoding: 'utf8',
  })
  return stdout + stderr
}

test('a program that uses everything compiles, and its mistakes do not', () => {
  assert.equal(tsc('--project', 'tsconfig.json'), '')
})

test('so it does as bundlers resolve packages', () => {
  const bundler = ['--module', 'esnext', '--moduleResolution', 'bundler']
  assert.equal(tsc('--strict', '--noEmit', '--target', 'es2022', ...bundler,
    '--ignoreConfig', '--types', 'node', 'sample.mts'), '')
})

test('the examples compile', () => {
  assert.equal(tsc('--project', 'examples.json'), '')
})

test('the classes have the members that are declared, and no others', () => {
  const check = (made, names) => assert.deepEqual(
    Object.getOwnPropertyNames(made.prototype).sort(), ['constructor', ...names].sort(),
  )
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const license = product.verify(vendor.license())
  check(Product, declared('Product'))
  check(License, declared('License'))
  check(Installation, declared('Installation'))
  assert.deepEqual([Object.keys(product), Object.keys(license)], [[], []])
})

/** The names of the members of a class in index.d.ts, as the compiler reads them. */
function declared(name) {
  const ts = createRequire(import.meta.url)('typescript')
  const file = path.join(FOLDER, '../../index.d.ts')
  const program = ts.createProgram([file], { strict: true })
  const statements = program.getSourceFile(file).statements
  const made = statements.find((node) => ts.isClassDeclaration(node) && node.name.text === name)
  return new Set(made.members.filter((member) => member.name).map((member) => member.name.text))
}
