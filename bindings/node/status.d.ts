// What `status` and `explain` give: docs/verdict.md. Every time is in seconds since 1970, every
// member is always there, and one that has nothing to say is null. A later version may add more.

import type { Access, ErrorCode } from './index.js'

/** Why something is as it is: the word of an error, or of what is no error. */
export type Reason = 'ok' | 'unlicensed_grace' | 'not_needed' | 'not_enforced' | ErrorCode

/** What a warning is about: a word of its own, or the error of the folder. */
export type WarningCode =
  | 'ends_soon'
  | 'in_grace'
  | 'token_due'
  | 'renew_due'
  | 'sync_due'
  | 'suspended'
  | 'issuer_expired'
  | 'issuer_not_found'
  | 'support_ends_soon'
  | 'support_ended'
  | 'machine_drifted'
  | 'limit_reached'
  | 'feature_too_new'
  | 'not_in_force'
  | 'grace_ends_soon'
  | 'source_refused'
  | 'clock_suspect'
  | 'state_recovered'
  | 'shared_folder'
  | ErrorCode

/** What happens at a time. */
export type EventCode =
  | 'first_use'
  | 'grace_ends_soon'
  | 'grace_ends'
  | 'issued'
  | 'begins'
  | 'ends_soon'
  | 'ends'
  | 'read_only'
  | 'stops'
  | 'token_due'
  | 'renew_due'
  | 'renew_read_only'
  | 'renew_stops'
  | 'last_contact'
  | 'next_contact'
  | 'sync_due'
  | 'sync_read_only'
  | 'sync_stops'
  | 'suspended'
  | 'suspended_read_only'
  | 'suspended_stops'
  | 'revoked'
  | 'support_ends_soon'
  | 'support_ends'
  | 'other_begins'
  | 'other_ends'

/** Where a license may come from. */
export type SourceKind = 'installed' | 'file' | 'environment' | 'text'

/** Everything that holds at a time. */
export interface Status {
  readonly at: number
  readonly product: string
  /** Whether a license is in force here: false while everything works without one. */
  readonly in_force: boolean
  /** What may be done with what the license lists, limits aside. */
  readonly access: Access
  readonly reason: Reason
  /** What holds and what to do, in a sentence for the administrator. */
  readonly message: string
  /** When something of this will change by itself. */
  readonly next_change_at: number | null
  /** The license that counts. */
  readonly license: StatusLicense | null
  readonly features: readonly StatusFeature[]
  readonly warnings: readonly StatusWarning[]
  /** What will happen, in the order of time. */
  readonly timeline: readonly StatusEvent[]
  /** Every place that was looked at for a license. */
  readonly sources: readonly StatusSource[]
  readonly time: StatusTime
  /** The first use, if it was noted. */
  readonly anchor: StatusAnchor | null
  readonly issuer: StatusIssuer
  readonly state: StatusState
}

export interface StatusLicense {
  readonly id: string
  readonly serial: string | null
  readonly type: string
  readonly tier: string | null
  readonly description: string | null
  readonly policy: string | null
  readonly customer: {
    readonly name: string | null
    readonly email: string | null
    readonly account: string | null
    readonly slug: string | null
    readonly id: string | null
  }
  readonly issuer: string
  readonly token_id: string
  readonly issued_at: number
  readonly key_id: string
  readonly source: SourceKind
  /** The path or the variable it is from; empty for the other sources. */
  readonly name: string
  readonly valid_from: number
  readonly valid_until: number | null
  readonly grace_until: number | null
  readonly token_until: number | null
  readonly support_until: number | null
  readonly days_left: number | null
  readonly seats: number | null
  readonly machines: number | null
  readonly refresh_days: number | null
  readonly created_at: number | null
  readonly updated_at: number | null
  readonly metadata: Readonly<Record<string, string | number | boolean>> | null
  readonly binding: StatusBinding | null
}

export interface StatusBinding {
  readonly machine: {
    /** Null where this is not the machine, and so how far off is not known. */
    readonly matched: number | null
    readonly need: number
    readonly of: number
    /** The kinds of parts that do not match any more. */
    readonly changed: readonly string[]
  } | null
  readonly installation: string | null
  readonly instance: string | null
}

export interface StatusFeature {
  readonly id: string
  readonly name: string | null
  readonly access: Access
  readonly reason: Reason
  /** `count`, `level`, `distinct`, or one that a later version knows. */
  readonly meter: string | null
  /** `hour`, `day`, `month`, `year`, `ever`, or one that a later version knows. */
  readonly per: string | null
  /** Of a distinct meter: the days whose keys count. */
  readonly days: number | null
  readonly used: number | null
  /** Of a level: the highest of this month. */
  readonly high: number | null
  readonly max: number | null
  /** Per cent over `max` before it stops. */
  readonly over: number | null
  /** `stop`, `count`, or what a later version knows. */
  readonly then: string | null
  readonly stops_at: number | null
  readonly left: number | null
  readonly reached: boolean
  readonly resets_at: number | null
}

export interface StatusWarning {
  readonly code: WarningCode
  readonly message: string
  readonly at: number | null
}

export interface StatusEvent {
  readonly at: number
  readonly event: EventCode
  readonly access: Access
  readonly message: string
}

export interface StatusSource {
  readonly source: SourceKind
  readonly name: string
  /** Whether it holds the license that counts. */
  readonly used: boolean
  readonly id: string | null
  readonly token_id: string | null
  readonly serial: string | null
  readonly valid_from: number | null
  readonly valid_until: number | null
  readonly result: Reason
  readonly message: string
}

export interface StatusTime {
  /** What the clock says. */
  readonly clock: number
  /** What time it is taken to be: a clock that was set back gains nothing. */
  readonly now: number
  readonly behind: number
  readonly floor: number | null
  readonly floor_by: 'server' | 'seen' | null
  readonly suspect: boolean
  readonly message: string
}

export interface StatusAnchor {
  readonly at: number
  readonly days: number
  readonly grace_days: number | null
  readonly grace_until: number | null
}

export interface StatusIssuer {
  /** What it last said; null if it has said nothing. */
  readonly status: 'ok' | 'revoked' | 'expired' | 'suspended' | 'not_found' | null
  readonly message: string | null
  readonly last_contact: number | null
  readonly next_contact: number | null
  readonly next_sync_by: number | null
  /** Why it could not be asked the last time; null once it has answered. */
  readonly failure: StatusFailure | null
}

export interface StatusFailure {
  /** When that was. */
  readonly at: number
  readonly code: ErrorCode
  readonly message: string
}

export interface StatusState {
  /** The id of this installation. */
  readonly installation: string | null
  readonly ok: boolean
  readonly code: ErrorCode | null
  readonly message: string | null
}

/** The checks behind a status. */
export interface Explanation {
  readonly at: number
  readonly in_force: boolean
  readonly reason: Reason
  readonly checks: readonly Check[]
}

/** One check, and those that it consists of. */
export interface Check {
  readonly check: string
  /** False where it takes something away, null where there was nothing to look at. */
  readonly ok: boolean | null
  readonly looked_at: string
  readonly found: string
  readonly to_do: string | null
  readonly checks: readonly Check[]
}
