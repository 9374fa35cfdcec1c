/** "Did you mean …": the nearest of the known words to one that is unknown. */

/** Longer words are not compared: the cost is the product of the lengths. */
const maxWordLength = 64;

/** The nearest word if it is near enough to be a slip of the finger, else null. */
export function nearest(word: string, known: Iterable<string>): string | null {
  if (word.length > maxWordLength) return null;
  const lower = word.toLowerCase();
  let best: string | null = null;
  // One slip in three letters; a short word may have one.
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    if (candidate.length > maxWordLength) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    // At least one letter must be shared.
    if (distance < bestDistance && distance < word.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` Did you mean \`port\`?`, or what there is to choose from. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  if (near !== null) return ` Did you mean \`${near}\`?`;
  if (known.length === 0) return '';
  const shown = known.slice(0, 20).map((name) => `\`${name}\``);
  return ` Known here: ${shown.join(', ')}${known.length > shown.length ? ', …' : ''}.`;
}

/** Optimal string alignment: insertions, deletions, changes and swaps of neighbours cost one each. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
