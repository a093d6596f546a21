import type { Explanation, Status } from './status.js'

export type * from './status.js'

/** What went wrong: one word, the same in every language (docs/errors.md). */
export type ErrorCode =
  | 'invalid_argument'
  | 'io'
  | 'internal'
  | 'malformed'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_product'
  | 'wrong_machine'
  | 'wrong_kind'
  | 'wrong_issuer'
  | 'too_new'
  | 'too_large'
  | 'wrong_installation'
  | 'not_yet_valid'
  | 'expired'
  | 'revoked'
  | 'suspended'
  | 'clock_rollback'
  | 'token_expired'
  | 'sync_overdue'
  | 'not_licensed'
  | 'not_granted'
  | 'limit_exceeded'
  | 'no_seat'
  | 'older_than_installed'
  | 'already_used'
  | 'bad_timestamp'
  | 'unreachable'
  | 'refused'
  | 'no_transport'
  | 'invalid_key'
  | 'weak_key'
  | 'key_retired'
  | 'key_compromised'
  | 'key_not_yet_valid'
  | 'key_permissions'
  | 'weak_binding'
  | 'state_corrupt'
  | 'state_unavailable'
  | 'busy'
  | 'disk_full'

/**
 * What every failure is: a plain Error with a `code`. It is thrown, or a promise is rejected with
 * it. A value of the wrong type is a TypeError with the code `invalid_argument`.
 */
export interface LicentiaError extends Error {
  readonly code: ErrorCode
}

/**
 * Settings of a product, each as in docs/settings.md, in a plain object: its own members count.
 * `undefined` leaves one as it is.
 */
export interface ProductOptions {
  /** Stops the clock, for tests. A number is in seconds since 1970, a text RFC 3339 or `system`. */
  clock?: Date | number | string | undefined
  /** Refuses licenses of another issuer. Empty = any. */
  issuer?: string | undefined
  /** Identifies the machine by this text instead of by its hardware. Empty = the hardware. */
  machine?: string | undefined
  /** A file with that text, read when the machine is asked for. Empty = the hardware. */
  machineFile?: string | undefined
  /** Reads the hardware under another root than `/`. */
  machineRoot?: string | undefined
  /** Never reads these kinds of parts: a list, or text separated by commas. */
  machineExclude?: string | readonly string[] | undefined
  /** The id of this installation, a UUID, for licenses that are bound to one. */
  installation?: string | undefined
  /** The root URL of this instance, for licenses that are bound to one. */
  instance?: string | undefined
  /** Your name, for sentences that tell the customer whom to ask. Empty = none. */
  vendor?: string | undefined
  /** With `saas`, an installation enforces nothing: you run the product yourself. */
  deployment?: 'onpremise' | 'saas' | '' | undefined
  /** How many days an installation works without a license, from its first use on. */
  graceDays?: number | string | undefined
  /** Warns this many days before an end, where the license does not say how many. Empty = 30. */
  warningDays?: number | string | undefined
  /** Your license servers: the first that answers is asked. A list, or text. */
  server?: string | readonly string[] | undefined
  /** The feature whose counter is shown as the monthly one. */
  monthlyMeter?: string | undefined
}

/** Settings of an installation, each as in docs/settings.md, in a plain object as above. */
export interface OpenOptions {
  /** A license, in any of its coats, beside the one that was applied. Empty = none. */
  license?: string | Uint8Array | undefined
  /** The same in a file, which is read again when it changes. Empty = none. */
  licenseFile?: string | undefined
  /** The same in the environment variable of this name, read when this is set. Empty = none. */
  licenseEnv?: string | undefined
  /** The root URL of this instance. Empty = that of the product. */
  instance?: string | undefined
  /** The path below which the license API is mounted, such as `/admin/licensing`. Empty = `/`. */
  mount?: string | undefined
  /** What `GET /api/license` tells strangers. Empty = `minimal`. */
  publicStatus?: 'minimal' | 'full' | '' | undefined
  /** The days over which leases are counted, where the license does not say. Empty = 30. */
  leaseWindow?: number | string | undefined
  /** The vendor's license servers, in the order in which they are tried. Empty = the product's. */
  server?: string | readonly string[] | undefined
  /** A file of certificates in PEM, of authorities to trust besides the system's. Empty = none. */
  serverCa?: string | undefined
  /** The proxy to the servers: a URL, or `none`. Empty = that of the environment. */
  proxy?: string | undefined
  /** How many seconds a call to the servers may take in all, 1 to 300. Empty = 30. */
  serverTimeout?: number | string | undefined
}

/** Settings whose names differ in docs/settings.md, where words are joined by `_`. */
interface TableNames {
  machine_file: ProductOptions['machineFile']
  machine_root: ProductOptions['machineRoot']
  machine_exclude: ProductOptions['machineExclude']
  grace_days: ProductOptions['graceDays']
  warning_days: ProductOptions['warningDays']
  monthly_meter: ProductOptions['monthlyMeter']
}

/** What an option may be: either name is good everywhere. */
type Settings = ProductOptions & TableNames

/** The same for an installation. */
type SiteSettings = OpenOptions & {
  license_file: OpenOptions['licenseFile']
  license_env: OpenOptions['licenseEnv']
  public_status: OpenOptions['publicStatus']
  lease_window: OpenOptions['leaseWindow']
  server_ca: OpenOptions['serverCa']
  server_timeout: OpenOptions['serverTimeout']
}

/** One part of a machine, or one reason why there is none. */
export interface MachineComponent {
  /** What kind of part it is, such as `machine_id`. */
  readonly kind: string
  /** What came of looking for it, such as `found` or `unreadable`. */
  readonly state: string
  /** Its hash for this product, if it was found. */
  readonly hash: string | null
  /** Whether a license binds to it unless told otherwise. */
  readonly binds: boolean
  /** Why it does not count or does not bind; empty if it does both. */
  readonly note: string
}

/** What identifies a machine: hashes, never the values (docs/machine.md). */
export interface MachineReport {
  readonly v: number
  readonly product: string
  /** A short id to show people; `null` if nothing identifies this machine. */
  readonly id: string | null
  readonly environment: Readonly<Record<string, unknown>>
  readonly components: readonly MachineComponent[]
}

/** What you ship: its code, and the keys that may sign its licenses. */
export declare class Product {
  /**
   * @param code The product code in its licenses.
   * @param keys The vendor's public keys: a JWK set, PEM, or `ed25519:…`, as text or its bytes.
   * @throws {LicentiaError} `invalid_argument`, `invalid_key`, `weak_key`
   */
  constructor(code: string, keys: string | Uint8Array, options?: ProductOptions)

  /** The product code. */
  get code(): string

  /**
   * Changes a setting. Licenses that are held follow `clock`; the others count from the next
   * `verify` on. A `machine()` that is under way goes on with the settings it began with.
   * @throws {LicentiaError} `invalid_argument`, and then changes nothing
   */
  set<Name extends keyof Settings>(name: Name, value: NonNullable<Settings[Name]>): void
  set(name: string, value: string): void

  /**
   * Trusts more keys: a key set as in the constructor, or one that a `root` key signed.
   * @throws {LicentiaError} as the constructor; for a signed set also as `verify`, and
   * `older_than_installed`
   */
  trust(keys: string | Uint8Array): void

  /**
   * What identifies this machine, read anew, on another thread.
   * Rejects with `io` or `invalid_argument` if `machineFile` cannot be read or is empty.
   */
  machine(): Promise<MachineReport>

  /**
   * Checks a license in full: signature, key, issuer, product, machine and dates. It may be text,
   * a `.lic` file or a blob. Takes about 50 µs. The first license that is bound to a machine reads
   * small files of /sys and /etc, and waits for them: call it where a `readFileSync` would do.
   * @throws {LicentiaError} every refusal of docs/format.md, section 4
   */
  verify(data: string | Uint8Array): License

  /**
   * Checks a license's signature, key, issuer and product only, to show one that has ended or
   * belongs elsewhere. What it gives allows nothing unless the license is in force here.
   * @throws {LicentiaError} the refusals of checks 1 to 12 there
   */
  inspect(data: string | Uint8Array): License

  /**
   * Opens the state that this product keeps in a folder. Any number of threads and processes may
   * have the same one open. The folder has to exist; whatever is wrong with it is in `status()`.
   * Reads small files: call it at start.
   * @throws {LicentiaError} `invalid_argument`
   */
  open(directory: string, options?: OpenOptions): Installation
}

/**
 * A license that a trusted key signed. It never changes, and it knows its own dates: a renewal is
 * another License. Made by `verify` and `inspect` only.
 */
export declare class License {
  private constructor()

  /**
   * Whether the license is in force at this moment and grants `feature`. Ask again whenever it
   * matters. Never throws, and reads no file.
   */
  allows(feature: string): boolean

  /** How much of `feature` may be used: Infinity if it has no limit, 0 where it is not allowed. */
  limit(feature: string): number

  /**
   * The features it grants while it is in force, sorted, each with its limit as above. None if it
   * is bound elsewhere. A Map of one's own.
   */
  get features(): Map<string, number>

  /** The serial number for people; empty if it has none. */
  get serial(): string

  /** Who it is for: the customer's name, or else id; empty if it names nobody. */
  get customer(): string

  /** When it ends, without any grace; `null` if it has no end. */
  get expires(): Date | null

  /** Everything it says, as the JSON text that was signed. */
  get json(): string

  /** Everything it says, parsed anew. */
  toJSON(): Record<string, unknown>
}

/** What may be done with a feature, in rising order. */
export type Access = 'deny' | 'read_only' | 'warn' | 'allow'

/** A moment: a Date, or seconds since 1970. */
export type Instant = Date | number

/** What to answer whoever asks for a feature that may not be used. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number
  /** The body: JSON with `detail` and `code`. */
  readonly body: string
}

/** What somebody who is signed in may do: look, apply and renew, remove. */
export type Right = 'read' | 'write' | 'delete'

/** Somebody who is signed in, by the word of your own login. */
export interface Caller {
  /** What you call them, for your own records: 1 to 256 bytes, without control characters. */
  readonly name: string
  /** All three are an administrator's. None if it is left out. */
  readonly rights?: readonly Right[] | undefined
  /** Whether it is a service's token, and no person: some endpoints are for persons only. */
  readonly service?: boolean | undefined
}

/** One HTTP request. Another member is a TypeError. */
export interface Exchange {
  /** As it was sent, such as `GET`. */
  readonly method: string
  /** As it was sent: the path with the query, still escaped. */
  readonly target: string
  /** All there are: as Node has them, or pairs, as a Map and Headers have them. */
  readonly headers?:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | Iterable<readonly [name: string, value: string | readonly string[] | undefined]>
    | undefined
  /** Whole, as it was sent. More than 128 KiB are not looked at. */
  readonly body?: string | Uint8Array | null | undefined
  /** Who is asking, after you have made sure of it. `null` = a stranger. */
  readonly caller?: Caller | null | undefined
}

/** The answer to one HTTP request: send it as it is. */
export interface Answer {
  readonly status: number
  /** The names are in lower case, each once. `content-length` and `date` are yours. */
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** How much of a metered feature was used. */
export interface Usage {
  /** In this period or window; of a level, its value. */
  readonly used: number
  /** Infinity if it has none. */
  readonly limit: number
  /** When it starts again; `null` = never. */
  readonly resetsAt: Date | null
}

/**
 * One copy of the product on this machine: its licenses, its state, its use. What it says holds
 * here and now, and follows the clock and what other processes do within a second. Made by `open`
 * only.
 */
export declare class Installation {
  private constructor()

  /**
   * Changes a setting, for this object. Waits for what is being written.
   * @throws {LicentiaError} `invalid_argument`, and then changes nothing
   */
  set<Name extends keyof SiteSettings>(name: Name, value: NonNullable<SiteSettings[Name]>): void
  set(name: string, value: string): void

  /**
   * Whether `feature` may be used at this moment: whether `access` is `warn` or `allow`. Ask again
   * whenever it matters: it enters native code once a second. Never throws.
   */
  allows(feature: string): boolean

  /** What may be done with `feature` at this moment. Never throws. */
  access(feature: string): Access

  /** The answer to whoever asks for `feature`, if `allows` says no; `null` = go on. */
  gate(feature: string): Refusal | null

  /**
   * Everything that holds at a time: now, or at another, as if the clock stood there.
   * @throws {LicentiaError} `invalid_argument` if that is no time
   */
  status(at?: Instant): Status

  /** Why: the checks behind `status(at)`, what each looked at, found, and what to do. */
  explain(at?: Instant): Explanation

  /**
   * Takes anything the vendor signed, on another thread: a license, a key set, a list of
   * revocations, a clock reset. Everything is checked first: what is refused changes nothing.
   * With `older`, a license may take the place of a newer one.
   */
  apply(data: string | Uint8Array, options?: { older?: boolean | undefined }): Promise<void>

  /** Removes what was applied. Gives whether there was a license. */
  remove(): Promise<boolean>

  /**
   * A text to send to the vendor: `license` is the request code, `renewal` asks for a newer token
   * of the license in use, `activation` for the license that the license key in `argument` stands
   * for, or for this machine for the license in use, `deactivation` for the machine to be free of
   * it, `clock` for a clock reset; `sync` says what was used. `seat` asks for a seat for the holder
   * in `argument`, `borrow` for days without the server (`30 ann`), `release` gives it back. `keys`
   * asks for the newest key set, `revocations` for the newest list of those.
   * @throws {LicentiaError} `invalid_argument`, `not_licensed`, or why the folder cannot be used
   */
  request(what?: string, argument?: string): string

  /**
   * Asks the vendor's server for what `request(what, argument)` asks for, and applies what it
   * signs in answer, on another thread: `activation` with a license key, `renewal`, `deactivation`,
   * `revocations`, `keys`, `clock`. Needs the setting `server`, and takes no longer than
   * `serverTimeout`. It goes on with the settings it began with.
   *
   * Rejects as `request` throws and as `apply` rejects, with `no_transport` without a server, with
   * `unreachable` where none answers, with `refused` and the server's own words where it says no.
   * What was here before stays then: that nobody answers says nothing of a license.
   */
  call(what: string, argument?: string): Promise<void>

  /**
   * Reports to the vendor's server what was used, and applies what it says of the license. Who
   * asks while one is under way shares the next with all others who do. Rejects as `call` does:
   * what was used is reported by the next.
   */
  sync(): Promise<void>

  /**
   * Takes a seat of a floating license for `holder`, or renews the one that it has here. It is
   * leased for a while; with `borrowDays`, 1 to 366, for so many days out of the server's reach.
   * Unless the server says no, a seat that is held here is given also where asking fails; with
   * `borrowDays` one that was borrowed before. Rejects with `no_seat` where all are taken, and as
   * `call` does.
   */
  seat(holder: string, options?: { borrowDays?: number | undefined }): Promise<Seat>

  /**
   * Adds to a counter. On disk when the promise is kept, and counted by `allows` from then on.
   * Rejects with `limit_exceeded` where a limit stops it, and then counts nothing.
   */
  record(feature: string, amount?: number): Promise<void>

  /**
   * Adds to a counter at once, without waiting for the disk: when the power fails, what was
   * recorded in the last second may be lost.
   * @throws {LicentiaError} as `record` rejects
   */
  recordLater(feature: string, amount?: number): void

  /** Sets a level, such as the number of users: not a difference. On disk when it is kept. */
  recordLevel(feature: string, level: number): Promise<void>

  /** Notes a key of which different ones count, such as a host's name. On disk when it is kept. */
  recordKey(feature: string, key: string): Promise<void>

  /**
   * How much of a feature was used.
   * @throws {LicentiaError} as `record` rejects, but for the limit
   */
  usage(feature: string): Usage

  /**
   * Whether the path of `target` is one of the license API, whatever the method: for a host that
   * has other routes.
   */
  serves(target: string): boolean

  /**
   * Answers one HTTP request to the license API (docs/http.md), on another thread. Whatever is
   * wrong with it is an answer too, with a status of its own. `handler` of `licentia/http` does
   * this for a web server. Rejects with `invalid_argument` what no request has, a TypeError where
   * a type, a right or the name of a member is wrong.
   */
  handle(exchange: Exchange): Promise<Answer>

  /** Notes when the product was first used: the unlicensed grace begins. The earliest counts. */
  firstUse(at?: Instant): Promise<void>

  /** Makes durable what `recordLater` left. */
  flush(): Promise<void>

  /**
   * The same at once, for the end of a program. There is nothing else to let go of: no file stays
   * open.
   */
  close(): void
}

/**
 * A seat of a floating license that somebody has here. Who ends without `release` gives it back
 * all the same: when its lease ends. Made by `seat` only.
 */
export declare class Seat {
  private constructor()

  /** Who has it. */
  get holder(): string

  /** When the lease ends; `null` if the seat is not held any more. Reads small files. */
  get expires(): Date | null

  /** Whether it is held at this moment. Reads small files. */
  get held(): boolean

  /**
   * Asks for a longer lease: do so when half of it is over. Rejects as `Installation.seat` does;
   * what is held stays until its end, also where the server is not reached.
   */
  renew(): Promise<void>

  /** Gives it back. Rejects as `Installation.call` does: then it is held until its lease ends. */
  release(): Promise<void>

  /** The same by `await using`, where Node knows it: that nobody answers is no error then. */
  [Symbol.asyncDispose](): Promise<void>
}
