/** The last refusals, newest first, as they are reported: the same again moves to the front. */
import { codeOf, messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import type { Reported } from '../../shared/trust/messages.ts';
import { REPORTED_REFUSALS } from '../../shared/trust/reported.ts';

/** What may be otherwise next time; all other refusals of a release stand until another manifest comes. */
const passingProblems: readonly string[] = ['blob.mismatch', 'disk.full', 'store.failed'];

export function mayPass(error: unknown): boolean {
  return passingProblems.includes(codeOf(error));
}

export class Refusals {
  readonly #log: Log;
  readonly #list: Reported['refusals'][number][] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  list(): Reported['refusals'] {
    return [...this.#list];
  }

  add(what: string, error: unknown, atMs: number): void {
    const refusal = { what, code: codeOf(error), message: messageOf(error), atMs };
    this.#log.warn({ what, code: refusal.code, problem: refusal.message }, 'refused');
    const same = this.#list.findIndex(
      (each) => each.what === what && each.code === refusal.code && each.message === refusal.message,
    );
    if (same >= 0) this.#list.splice(same, 1);
    this.#list.unshift(refusal);
    if (this.#list.length > REPORTED_REFUSALS) this.#list.pop();
  }
}
