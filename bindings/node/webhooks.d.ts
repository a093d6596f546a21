/** What a webhook tells. It was signed with one of the secrets. */
export interface WebhookEvent<Data = Record<string, unknown>> {
  /** The name of the event, such as `evt_…`: the same however often it comes. */
  readonly id: string
  /** What happened, such as `license.created`. */
  readonly type: string
  /** When it happened; `null` where it does not say. */
  readonly createdAt: Date | null
  /** What it happened to. */
  readonly data: Data
  /** When it was sent this time. */
  readonly sentAt: Date
}

export interface VerifyOptions {
  /** In place of the clock. A number is in seconds since 1970. */
  now?: Date | number | undefined
}

/** The headers of a request: as Node has them, or pairs, as a Map and Headers have them. */
export type WebhookHeaders =
  | Readonly<Record<string, string | readonly string[] | undefined>>
  | Iterable<readonly [name: string, value: string | readonly string[] | undefined]>

/** One secret of an endpoint, `whsec_…` or `whpk_…`, or several while one follows another. */
export type Secrets = string | readonly string[]

/**
 * The event of a webhook that one of the secrets has signed. Whether it has been here before is
 * for you to know, by its `id`. `body` is as it was received, and never written again by a parser.
 * @throws {LicentiaError} `bad_signature`; `bad_timestamp` for one that was sent more than five
 * minutes ago or from now; `malformed` for what is no webhook, or no event; `too_large`;
 * `invalid_argument` for a secret that is none
 */
export declare function verify<Data = Record<string, unknown>>(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: Secrets,
  options?: VerifyOptions,
): WebhookEvent<Data>

/**
 * When a webhook was sent that one of the secrets has signed, whatever is in its body.
 * @throws {LicentiaError} what `verify` does
 */
export declare function verifySignature(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secrets: Secrets,
  options?: VerifyOptions,
): Date

export interface ReceiverOptions {
  /** Seconds for which ids are remembered: 600 or more, by itself four days. */
  window?: number | undefined
  /** How many ids are remembered: by itself 100,000. The oldest are forgotten first. */
  limit?: number | undefined
}

/**
 * Takes each event once, in this process. Where there are several, keep the ids in your database,
 * in the transaction in which you process them, and use `verify`.
 */
export declare class Receiver {
  /** @throws {LicentiaError} `invalid_argument` for a secret that is none */
  constructor(secrets: Secrets, options?: ReceiverOptions)
  /**
   * Verifies a webhook, gives its event to `work`, and waits for that. Then the event counts as
   * processed; where `work` fails it is forgotten, and is processed when it comes again. Gives
   * what `work` gives; the promise is rejected with what `verify` throws, with `already_used` for
   * an event that was processed (answer with a status of 2xx), with `busy` for one that is being
   * processed (answer with 503, and it comes again), and with what `work` fails with.
   */
  process<Result>(
    body: string | Uint8Array,
    headers: WebhookHeaders,
    work: (event: WebhookEvent) => Result | PromiseLike<Result>,
  ): Promise<Result>
  /** Processes an event again when it comes again: what was done with it is undone. */
  forget(id: string): void
}

// Only what says so is exported.
export {}
