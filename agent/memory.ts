/**
 * Keeps the heap near what is in use. V8 lets garbage stand until the heap is several times as large as what it found
 * alive at its last full collection, and an agent at rest makes so little of it that this takes hours of growing. What
 * starting leaves behind (parsed sources, code that runs once) is a third of the heap.
 */
import { queryObjects } from 'node:v8';

/** The start is over, connection and first samples included. */
const FIRST_MS = 5_000;
/** A full collection takes about 30 ms: once in ten minutes is 0.05 ms a second. */
const EVERY_MS = 10 * 60_000;
/** Less than this is not worth it. */
const WORTHWHILE_BYTES = 1024 * 1024;

class Nobody {}

/** Begins; the returned function ends it. */
export function startCollecting(): () => void {
  let leastBytes = 0;
  const turn = (): void => {
    if (process.memoryUsage().heapUsed - leastBytes < WORTHWHILE_BYTES) return;
    collect();
    leastBytes = process.memoryUsage().heapUsed;
  };
  const first = setTimeout(turn, FIRST_MS);
  const every = setInterval(turn, EVERY_MS);
  first.unref();
  every.unref();
  return () => {
    clearTimeout(first);
    clearInterval(every);
  };
}

/**
 * A full collection that gives memory back. Counting the objects of a class begins with one; the flag that gives
 * programs a function for it (`--expose-gc`) would make V8 refuse the code cache of Node's own modules.
 */
function collect(): void {
  queryObjects(Nobody, { format: 'count' });
}
