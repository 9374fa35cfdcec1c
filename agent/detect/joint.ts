/**
 * The states of one series in one block of memory: a block of its own for each would cost more than what is in most of
 * them (a hundred bytes, and another hundred for each array over it).
 */

type Numbers = Float64Array | Float32Array | Int16Array;
type State = Numbers | Readonly<Record<string, Numbers>>;

/**
 * The same states; those that are arrays of numbers, or objects whose fields all are, lie in one block from now on. Others
 * (null, or a few numbers) stay what they are.
 */
export function joinStates(states: readonly unknown[]): unknown[] {
  // The widest first: so each begins at a multiple of its own width.
  const all = states
    .filter(isJoined)
    .flatMap(arraysOf)
    .sort((a, b) => b.BYTES_PER_ELEMENT - a.BYTES_PER_ELEMENT);
  const block = new ArrayBuffer(all.reduce((sum, { byteLength }) => sum + byteLength, 0));
  const placed = new Map<Numbers, Numbers>();
  let from = 0;
  for (const array of all) {
    const Width = array.constructor as new (block: ArrayBuffer, from: number, length: number) => Numbers;
    const there = new Width(block, from, array.length);
    there.set(array);
    placed.set(array, there);
    from += array.byteLength;
  }
  return states.map((state) => {
    if (!isJoined(state)) return state;
    if (isNumbers(state)) return placed.get(state)!;
    return Object.fromEntries(Object.entries(state).map(([name, array]) => [name, placed.get(array)!]));
  });
}

function isNumbers(state: unknown): state is Numbers {
  return ArrayBuffer.isView(state);
}

function isJoined(state: unknown): state is State {
  if (state === null || typeof state !== 'object') return false;
  return isNumbers(state) || Object.values(state).every(isNumbers);
}

function arraysOf(state: State): Numbers[] {
  return isNumbers(state) ? [state] : Object.values(state);
}
