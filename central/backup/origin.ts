/** What a restored central remembers of it: from when its backup is, and when it was restored. */
import type { Documents } from '../store/store.ts';

export interface Origin {
  readonly backupMs: number;
  readonly restoredMs: number;
}

const NAMESPACE = 'central';
const KEY = 'restored';

export function saveOrigin(documents: Documents, origin: Origin): Promise<void> {
  return documents.put(NAMESPACE, KEY, origin);
}

/** Null for a central that was never restored. */
export function readOrigin(documents: Documents): Promise<Origin | null> {
  return documents.get<Origin>(NAMESPACE, KEY);
}
