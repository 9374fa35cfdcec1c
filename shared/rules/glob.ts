/** Patterns for names: `*` stands for any text, `|` for "or", all else for itself. No pattern takes long. */

/** Whether the whole text fits one of the alternatives of the pattern. */
export function globMatches(pattern: string, text: string): boolean {
  return pattern.split('|').some((alternative) => fitsOne(alternative, text));
}

/** At each mismatch only the last `*` takes one more character: never more than length × length steps. */
function fitsOne(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++taken;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
