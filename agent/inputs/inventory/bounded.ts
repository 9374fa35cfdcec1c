/** What firmware and drivers say of themselves, made short, printable and finite: nobody vouches for it. */

const maxTextLength = 128;

/** What makers write where they had nothing to say. */
const placeholders =
  /^(-|unknown|none|n\/a|not (defined|specified|available|applicable)|default string|to be filled by o\.?e\.?m\.?|system (manufacturer|product name|version))$/i;

/** A text of one line, or null where it says nothing. */
export function textOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const text = value
    .slice(0, maxTextLength * 2)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim()
    .slice(0, maxTextLength);
  return text === '' || placeholders.test(text) ? null : text;
}

/** A number above 0, or null: 0 and -1 stand for "unknown" in what is read here. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** The first entries of a list, as records; nothing where it is no list. */
export function recordsOf(value: unknown, max: number): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((entry) => typeof entry === 'object' && entry !== null).slice(0, max);
}

export type Plain = string | number | boolean | null;

/** The keys that have something to say. */
export function known(values: Readonly<Record<string, Plain>>): Record<string, string | number | boolean> {
  const kept = Object.entries(values).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== null,
  );
  return Object.fromEntries(kept);
}
