/**
 * What V8 is told so that an agent stays small.
 *
 * - Its optimising compiler never earns back here what it costs: at rest 0.8 of 3.5 ms/s of CPU, and 5 MB of its own
 *   code in memory. The compiler before it (Maglev) makes code that is nearly as fast. Told at run time: as an option of
 *   the program it would make V8 refuse the code cache of Node's own modules, and these take 4 MB more then.
 * - Garbage stands until the heap is several times as large as what was alive at the last full collection, and an agent
 *   at rest makes so little of it that the heap would grow for hours: one is asked for when it has grown. Not at the
 *   start: collecting takes as much memory for itself (2 MB, which stays) as it gives back then.
 */
import { getHeapStatistics, queryObjects, setFlagsFromString } from 'node:v8';

const LOOK_MS = 10 * 60_000;
/** A full collection takes 20 ms. */
const WORTHWHILE_BYTES = 3 * 1024 * 1024;

class Nobody {}

/** Begins, after all modules are loaded; the returned function ends it. */
export function stayFrugal(): () => void {
  setFlagsFromString('--no-opt');
  let leastBytes = process.memoryUsage().heapUsed;
  const looking = setInterval(() => {
    if (process.memoryUsage().heapUsed - leastBytes < WORTHWHILE_BYTES) return;
    collect();
    leastBytes = process.memoryUsage().heapUsed;
  }, LOOK_MS);
  looking.unref();
  return () => clearInterval(looking);
}

/** Buffers of this size may lie about before they are collected. */
const GARBAGE_BYTES = 4 * 1024 * 1024;
let buffersBytes = 0;

/**
 * To be called now and then by work that goes through many buffers (a backlog that drains): V8 sees their small handles
 * alone and would let 64 MB of them stand.
 */
function reclaimBuffers(): void {
  const { external_memory: bytes } = getHeapStatistics();
  buffersBytes = Math.min(buffersBytes, bytes);
  if (bytes - buffersBytes < GARBAGE_BYTES) return;
  collect();
  buffersBytes = getHeapStatistics().external_memory;
}

/** For who watches what it takes; a model's content is outside the heap while it is read. */
export const ownMemory = {
  usedBytes(): number {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return used_heap_size + external_memory;
  },
  collect,
  reclaimBuffers,
};

/**
 * A full collection that gives memory back. Counting the objects of a class begins with one; the option that gives
 * programs a function for it (`--expose-gc`) costs the code cache as well.
 */
function collect(): void {
  queryObjects(Nobody, { format: 'count' });
}
