'use strict'
// Builds the native addon for this machine with cargo, and puts it beside index.js, with the
// license texts: a package holds files, not links. Arguments, such as `--locked`, are for cargo.

const { execFileSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { fileName, libc } = require('./addon.js')

// This package alone: with others, cargo would unite their features of the core with ours, and
// `issue` with them.
const ARGS = ['build', '--release', '--package', 'licentia-node', '--message-format',
  'json-render-diagnostics', ...process.argv.slice(2)]

function build() {
  for (const text of ['LICENSE-APACHE', 'LICENSE-MIT']) {
    fs.copyFileSync(path.join(__dirname, '../..', text), path.join(__dirname, text))
  }
  const options = { cwd: __dirname, encoding: 'utf8', maxBuffer: 1 << 28 }
  const stdio = ['ignore', 'pipe', 'inherit']
  const lines = execFileSync(process.env.CARGO ?? 'cargo', ARGS, { ...options, stdio })
  const messages = lines.split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const made = messages.find(({ target }) => target?.name === 'licentia_node')
  const library = made.filenames.find((name) => /\.(so|dylib|dll)$/.test(name))
  const addon = path.join(__dirname, fileName(libc()))
  // A process that has the old one loaded keeps it: the new one is another file.
  fs.copyFileSync(library, `${addon}.new`)
  fs.renameSync(`${addon}.new`, addon)
  console.log(path.relative(process.cwd(), addon))
}

try {
  build()
} catch (error) {
  // What cargo has to say, it has said.
  if (typeof error.status !== 'number') console.error(error.message)
  process.exitCode = 1
}
