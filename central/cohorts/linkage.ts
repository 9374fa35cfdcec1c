/**
 * Agglomerative clustering by average linkage, cut at a distance: by nearest-neighbour chains (Murtagh 1983; average
 * linkage is reducible, so that their order of merging does not matter), in n² steps and 4 n² bytes. What is farther
 * than the cut from all others stays alone. Deterministic: equal distances are settled by the order of the items.
 */

/** Groups of item numbers, each sorted, in the order of their first items. */
export function clusters(count: number, distance: (a: number, b: number) => number, cut: number): number[][] {
  const between = new Float32Array(count * count);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const far = distance(a, b);
      between[a * count + b] = far;
      between[b * count + a] = far;
    }
  }
  /** Items of the cluster that goes by its first item's number; null: it is part of another. */
  const members: (number[] | null)[] = Array.from({ length: count }, (_, i) => [i]);
  const done = new Uint8Array(count);
  const chain: number[] = [];
  for (;;) {
    let top = chain.at(-1);
    if (top === undefined) {
      top = members.findIndex((own, i) => own !== null && done[i] === 0);
      if (top < 0) break;
      chain.push(top);
    }
    const before = chain.at(-2);
    let nearest = before ?? -1;
    let least = before === undefined ? Number.POSITIVE_INFINITY : between[top * count + before]!;
    for (let other = 0; other < count; other++) {
      if (other === top || members[other] === null || done[other] === 1) continue;
      const far = between[top * count + other]!;
      if (far < least) {
        least = far;
        nearest = other;
      }
    }
    if (nearest < 0 || least > cut) {
      // Its nearest is too far: with average linkage nothing that is merged later comes nearer.
      done[top] = 1;
      chain.pop();
    } else if (nearest === before) {
      chain.length -= 2;
      merge(members, between, count, Math.min(top, nearest), Math.max(top, nearest));
    } else {
      chain.push(nearest);
    }
  }
  return members.filter((own) => own !== null).map((own) => own.sort((a, b) => a - b));
}

/** Lance and Williams (1967) for the average. */
function merge(members: (number[] | null)[], between: Float32Array, count: number, into: number, from: number): void {
  const ours = members[into]!;
  const theirs = members[from]!;
  for (let other = 0; other < count; other++) {
    if (other === into || other === from || members[other] === null) continue;
    const sum = ours.length * between[into * count + other]! + theirs.length * between[from * count + other]!;
    const far = sum / (ours.length + theirs.length);
    between[into * count + other] = far;
    between[other * count + into] = far;
  }
  ours.push(...theirs);
  members[from] = null;
}
