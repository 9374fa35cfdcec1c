/**
 * Sketches of less precision, for a line that is paid by the byte. `group` neighbouring buckets become one (2: quantiles
 * within 2 %, 5: within 5 %), named by the key in their middle, so that what is coarse merges with what is fine, travels
 * in the same bytes, and is read by the same code. Groups begin at multiples: coarse sketches merge into coarse ones.
 *
 * The buckets of the smallest and the largest value keep their own keys: minimum and maximum are known exactly, and
 * need no bytes of their own (`columns-sketches.ts`, implied).
 */
import type { SketchColumns } from '../wire/summary.ts';

export function coarseSketch(sketch: SketchColumns, group: number): SketchColumns {
  const [positiveKeys, positiveCounts] = coarseSide(sketch.positiveKeys, sketch.positiveCounts, group);
  const [negativeKeys, negativeCounts] = coarseSide(sketch.negativeKeys, sketch.negativeCounts, group);
  return { zeros: sketch.zeros, positiveKeys, positiveCounts, negativeKeys, negativeCounts };
}

function coarseSide(keys: Int32Array, counts: Uint32Array, group: number): readonly [Int32Array, Uint32Array] {
  if (keys.length < 3 || group < 2) return [keys, counts];
  const first = keys[0]!;
  const last = keys[keys.length - 1]!;
  const outKeys = new Int32Array(keys.length);
  const outCounts = new Uint32Array(keys.length);
  let length = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const place = Math.floor(key / group);
    const top = place === Math.floor(last / group);
    const bottom = place === Math.floor(first / group);
    const middle = place * group + (group >> 1);
    // A value beside an end joins it; where both ends are in one group, the nearer one.
    const joined = top && bottom ? (key - first < last - key ? first : last) : top ? last : bottom ? first : middle;
    if (length > 0 && outKeys[length - 1] === joined) outCounts[length - 1] = outCounts[length - 1]! + counts[i]!;
    else {
      outKeys[length] = joined;
      outCounts[length++] = counts[i]!;
    }
  }
  return [outKeys.slice(0, length), outCounts.slice(0, length)];
}
