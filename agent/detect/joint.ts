/** The small states of one series in one block of memory: a block of its own for each costs more than what is in it. */

/** The same states; those that are numbers lie side by side from now on. */
export function joinStates(states: readonly unknown[]): unknown[] {
  const sizes = states.map((state) => (state instanceof Float64Array ? state.length : 0));
  const block = new Float64Array(sizes.reduce((sum, size) => sum + size, 0));
  let from = 0;
  return states.map((state, i) => {
    if (!(state instanceof Float64Array)) return state;
    block.set(state, from);
    from += sizes[i]!;
    return block.subarray(from - sizes[i]!, from);
  });
}
