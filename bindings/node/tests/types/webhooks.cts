// The same from a module of CommonJS. Compiled, never run.

import webhooks = require('licentia/webhooks')

const receiver: webhooks.Receiver = new webhooks.Receiver('whsec_')

export = receiver
