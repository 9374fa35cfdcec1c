/**
 * A rule: something that is wrong at any time, whatever was learned. It says which series it looks at, what it holds
 * their values against, how long that must last, and what somebody can do. It stands outside of the budgets.
 *
 * Every rule has hysteresis: it fires when its limit is crossed for `forMs`, and ends when the value is back beyond
 * `clear` for `clearForMs`. What lies between the two changes nothing.
 */
import type { Severity } from '../findings.ts';
import { globMatches } from './glob.ts';

/** Rules of one agent, the shipped ones among them. */
export const MOST_RULES = 128;
export const RULE_ID_PATTERN = /^[a-z0-9][a-z0-9_-]{0,63}$/;

export interface Selector {
  /** Name of the metric or state; `*` stands for any text, `|` for "or". */
  readonly metric: string;
  /** Attributes that must fit: patterns of the same kind. */
  readonly where: Readonly<Record<string, string>>;
  /** Attributes that must not fit. */
  readonly except: Readonly<Record<string, string>>;
}

/** A number, or one that follows from another series of the same thing (a filesystem's size, a sensor's own limit). */
export type Limit = number | OwnLimit;

export interface OwnLimit {
  /** Name and unit of the other series; its attributes are the same but for what is said here. */
  readonly metric: string;
  readonly unit: string;
  /** Attributes that it has beside; null: that it has not. */
  readonly attributes: Readonly<Record<string, string | null>>;
  /** The limit is its value times `share` plus `plus`, and at most `atMost`. */
  readonly share: number;
  readonly plus: number;
  readonly atMost: number;
  /** Of a thing that is smaller nothing is said. */
  readonly least: number;
}

export type Side = 'above' | 'below';

export type Condition =
  | { readonly kind: 'threshold'; readonly side: Side; readonly limit: Limit; readonly clear: Limit }
  /** The change a second, over `overMs`. */
  | {
      readonly kind: 'rate';
      readonly side: Side;
      readonly limit: number;
      readonly clear: number;
      readonly overMs: number;
    }
  /** No value came for so long, of a series that was there or (without `*`) of one that never was. */
  | { readonly kind: 'absence'; readonly afterMs: number }
  /** A state has one of these texts; with `was`, only where it had one of those before. */
  | { readonly kind: 'state'; readonly is: readonly string[]; readonly was: readonly string[] | null }
  /** Seconds until a resource is full, as they are forecast; no value: not in sight. */
  | { readonly kind: 'timeToFull'; readonly limit: number; readonly clear: number };

export interface Rule {
  readonly id: string;
  readonly selector: Selector;
  readonly condition: Condition;
  /** How long it must be so before it fires. */
  readonly forMs: number;
  /** How long it must be well again before it ends. */
  readonly clearForMs: number;
  readonly severity: Severity;
  /** What is wrong: `almost no space left`. */
  readonly text: string;
  /** What somebody can do about it. */
  readonly advice: string;
}

/** Whether a rule looks at a series or state of this name and these attributes. Not for the hot path. */
export function selects(selector: Selector, name: string, attributes: Readonly<Record<string, string>>): boolean {
  if (!globMatches(selector.metric, name)) return false;
  const fits = ([attribute, pattern]: [string, string]): boolean =>
    Object.hasOwn(attributes, attribute) && globMatches(pattern, attributes[attribute]!);
  return Object.entries(selector.where).every(fits) && !Object.entries(selector.except).some(fits);
}
