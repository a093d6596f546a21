// The same from a module of CommonJS. Compiled, never run.

import testing = require('licentia/testing')

const kit: testing.Kit = new testing.Kit()
const features: readonly string[] = kit.features

export = features
