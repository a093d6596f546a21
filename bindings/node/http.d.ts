import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Caller, Installation } from './index.js'

/** Who is asking: `null` or `undefined` is a stranger. */
type Asking = Caller | null | undefined

export interface HandlerOptions<Request> {
  /**
   * Who is asking, by the word of your own login. It is asked of the requests to the license API
   * only, each time. Without it, everybody is a stranger. What it throws, or its promise is
   * rejected with, goes to `next`; without `next` the answer is a 500 that says nothing, and the
   * error is a warning of the process.
   */
  caller?: ((req: Request) => Asking | PromiseLike<Asking>) | undefined
}

/**
 * The license API of an installation in a web server: a listener of `node:http`, or a middleware
 * of Express, Connect and their like. It answers the requests that `installation.serves`, and
 * passes the others on to `next`; without `next` it answers those with a 404. Mount it in front
 * of what reads bodies. Behind `express.json()` it works too, with what that made of the body.
 * @throws {LicentiaError} `invalid_argument`
 */
export declare function handler<
  Request extends IncomingMessage | Http2ServerRequest = IncomingMessage,
>(
  installation: Pick<Installation, 'handle' | 'serves'>,
  options?: HandlerOptions<Request>,
): (
  req: Request,
  res: ServerResponse | Http2ServerResponse,
  next?: (error?: unknown) => void,
) => void

// Only what says so is exported.
export {}
