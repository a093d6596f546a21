// index.d.ts as compilers see it: strictly, from both module systems, and in the example.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Installation, License, Product, Seat } from '../index.mjs'
import { emptyFolder } from './folder.mjs'
import { DAY, NOW, vendor } from './vendor.mjs'

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

test('every status and explanation is of the type that is declared', async (t) => {
  const folder = emptyFolder(t)
  const texts = await answers(t)
  const source = texts.map(([type, text], at) => `const it${at}: ${type} = ${text}\n`).join('')
  writeFileSync(path.join(folder, 'answers.mts'), `
    import type { Explanation, Status } from 'licentia'
    ${source}
    export { ${texts.map((_, at) => `it${at}`).join(', ')} }`)
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({
    extends: path.join(FOLDER, 'tsconfig.json'),
    compilerOptions: {
      paths: { licentia: [path.join(FOLDER, '../../index.d.mts')] },
      typeRoots: [path.join(FOLDER, '../../node_modules/@types')],
    },
    files: ['answers.mts'],
  }))
  assert.equal(tsc('--project', path.join(folder, 'tsconfig.json')), '')
})

/** Statuses and explanations of every kind there is, with their types. */
async function answers(t) {
  const product = new Product('myapp', vendor.keys(), { clock: NOW, graceDays: 31 })
  const texts = []
  const take = (installation) => {
    for (const at of [undefined, NOW + 20 * DAY, NOW + 400 * DAY]) {
      texts.push(['Status', JSON.stringify(installation.status(at))])
      texts.push(['Explanation', JSON.stringify(installation.explain(at))])
    }
  }
  take(product.open('/nowhere'))
  const installation = product.open(emptyFolder(t), { licenseEnv: 'NOWHERE', licenseFile: '/no' })
  take(installation)
  await installation.firstUse()
  take(installation)
  const { components: [part] } = await product.machine()
  const parts = { [part.kind]: [part.hash ?? 'A'.repeat(22)] }
  const all = {
    tier: 'T', description: 'D', policy: 'P', seats: 5, machines: 1, refresh_days: 1,
    created_at: NOW, updated_at: NOW, support_until: NOW + DAY, metadata: { a: 1, b: 'x', c: true },
    customer: { name: 'N', email: 'a@b.c', account: 'a', slug: 's' },
    notice: { license: 30, token: 2 },
    stages: { ended: { read_only: 10, deny: 40 }, overdue: { warn: 0, deny: 30 } },
    binding: { machine: { v: 1, need: 1, parts } },
    features: [
      { id: 'a', name: 'A' }, { id: 'b', meter: 'level', max: 3, over: 10 },
      { id: 'c', meter: 'x' },
      { id: 'd', meter: 'distinct', days: 30, max: 5, then: 'count' },
      { id: 'e', meter: 'count', per: 'month' },
    ],
  }
  await installation.apply(vendor.license(all, { exp: NOW + 10 * DAY }))
  await installation.recordLevel('b', 3)
  take(installation)
  return texts
}

test('the classes have the members that are declared, and no others', () => {
  const check = (made, names) => assert.deepEqual(
    Object.getOwnPropertyNames(made.prototype).sort(), ['constructor', ...names].sort(),
  )
  const product = new Product('myapp', vendor.keys(), { clock: NOW })
  const license = product.verify(vendor.license())
  check(Product, declared('Product'))
  check(License, declared('License'))
  check(Installation, declared('Installation'))
  check(Seat, declared('Seat'))
  assert.deepEqual([Object.keys(product), Object.keys(license)], [[], []])
})

/** The names of the members of a class in index.d.ts, as the compiler reads them. */
function declared(name) {
  const ts = createRequire(import.meta.url)('typescript')
  const file = path.join(FOLDER, '../../index.d.ts')
  const program = ts.createProgram([file], { strict: true })
  const statements = program.getSourceFile(file).statements
  const made = statements.find((node) => ts.isClassDeclaration(node) && node.name.text === name)
  const names = made.members.map((member) => member.name)
  return new Set(names.filter((name) => name && ts.isIdentifier(name)).map(({ text }) => text))
}
