/**
 * Who did what, when. Entries are documents of the store under keys that sort by time, never changed and never deleted.
 */
import type { Audit, AuditEntry } from './api.ts';
import type { Documents } from './store/store.ts';

const NAMESPACE = 'audit';
/** Digits of the key's time (enough until the year 33658) and of the count within one process. */
const TIME_DIGITS = 15;
const COUNT_DIGITS = 6;
const MAX_TEXT = 500;
const MAX_LISTED = 1000;

/** An audit trail over the store's documents; `add` resolves when the entry is durable. */
export function createAudit(documents: Documents, nowMs: () => number): Audit {
  let count = 0;
  return {
    async add(entry) {
      const atMs = nowMs();
      count = (count + 1) % 10 ** COUNT_DIGITS;
      const bounded: AuditEntry = {
        atMs,
        actor: entry.actor.slice(0, MAX_TEXT),
        action: entry.action.slice(0, MAX_TEXT),
        target: entry.target.slice(0, MAX_TEXT),
        detail: entry.detail.slice(0, MAX_TEXT),
      };
      await documents.put(NAMESPACE, keyOf(atMs, count), bounded);
    },
    /** The newest `limit` entries that are older than `before`, the newest first. */
    async list(limit, before) {
      const range = { limit: Math.min(limit, MAX_LISTED), reverse: true };
      const entries = await documents.list<AuditEntry>(
        NAMESPACE,
        before === undefined ? range : { ...range, after: keyOf(before, 0) },
      );
      return entries.map((entry) => entry.value);
    },
  };
}

function keyOf(atMs: number, count: number): string {
  return `${String(Math.max(0, Math.floor(atMs))).padStart(TIME_DIGITS, '0')}-${String(count).padStart(COUNT_DIGITS, '0')}`;
}
