/**
 * Makes guessing slow: after a few free failures each further one doubles the time that its sender must wait. A try
 * counts as failed until it is forgiven, so that many at once are not all free.
 */
import { isIPv6 } from 'node:net';
import { PicketError } from '../../shared/errors.ts';

const FREE_FAILURES = 5;
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 15 * 60_000;
/** Without a failure for this long a sender is forgotten. */
const FORGET_MS = 60 * 60_000;
/** Senders that are remembered; the oldest are forgotten first. */
const MAX_SENDERS = 10_000;

interface Failures {
  count: number;
  blockedUntilMs: number;
  lastMs: number;
}

export interface Throttle {
  /** Begins a try; throws `auth.throttled` with `retryAfterSeconds` while the sender must wait. */
  begin(address: string): void;
  /** The try was good: its sender starts afresh. */
  forgive(address: string): void;
}

export function createThrottle(nowMs: () => number): Throttle {
  const senders = new Map<string, Failures>();
  return {
    begin(address) {
      const key = senderOf(address);
      const now = nowMs();
      const known = senders.get(key);
      const failures = known !== undefined && now - known.lastMs < FORGET_MS ? known : newFailures();
      if (now < failures.blockedUntilMs) {
        const retryAfterSeconds = Math.ceil((failures.blockedUntilMs - now) / 1000);
        throw new PicketError('auth.throttled', `Too many failed tries; try again in ${retryAfterSeconds} s.`, {
          retryAfterSeconds,
        });
      }
      failures.count++;
      failures.lastMs = now;
      const beyond = failures.count - FREE_FAILURES;
      if (beyond >= 0) failures.blockedUntilMs = now + Math.min(FIRST_DELAY_MS * 2 ** beyond, LONGEST_DELAY_MS);
      // Set anew, so that the map's order is by the last try and its first key is the oldest.
      senders.delete(key);
      senders.set(key, failures);
      if (senders.size > MAX_SENDERS) senders.delete(senders.keys().next().value!);
    },
    forgive(address) {
      senders.delete(senderOf(address));
    },
  };
}

function newFailures(): Failures {
  return { count: 0, blockedUntilMs: 0, lastMs: 0 };
}

/** An IPv6 sender owns at least its /64, so that is what counts; an IPv4 one its address. */
function senderOf(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  if (!isIPv6(plain)) return plain;
  return expandIPv6(plain).slice(0, 4).join(':');
}

function expandIPv6(address: string): string[] {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  return [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
}
