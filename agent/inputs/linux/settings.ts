/** Settings that several inputs share, so that they are named, bounded and documented alike. */

import type { Schema } from '../../../shared/config/schema.ts';
import { boolean, duration, listOf, string } from '../../../shared/config/types.ts';
import type { Host, InputTiming } from '../input.ts';

const maxDeadlineMs = 30_000;

/** How often an input is read. */
export function interval(standard: string): Schema<number> {
  return duration({ doc: 'How often it is read.', default: standard, min: '200ms', max: '1h' });
}

/** Names of devices to leave out, `*` for any text. */
export function excluded(what: string, standard: readonly string[]): Schema<readonly string[]> {
  return listOf({
    doc: `${what} to leave out; \`*\` stands for any text.`,
    of: string({ doc: 'A name or a pattern.', maxLength: 128 }),
    max: 128,
    default: standard,
  });
}

/** Something that is off or on. */
export function flag(doc: string, standard: boolean): Schema<boolean> {
  return boolean({ doc, default: standard });
}

/** The timing of an input whose only setting of time is its interval. */
export function timingOf(config: { readonly interval: number }): InputTiming {
  return { intervalMs: config.interval, deadlineMs: Math.min(config.interval, maxDeadlineMs) };
}

export function onLinux(host: Host): boolean {
  return host.platform === 'linux';
}
