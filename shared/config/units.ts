/**
 * Durations (`10s`, `5m`, `1h30m`, `14d`) and sizes (`64MB`, `4GiB`) as people write them. MB is 10^6 bytes and MiB
 * 2^20, as IEC 80000-13 has it.
 */

const durationUnits = [
  ['w', 604_800_000],
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;
const durationFactors = new Map<string, number>(durationUnits);

const byteUnits = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
] as const;
const byteFactors = new Map<string, number>(byteUnits.map(([unit, factor]) => [unit.toLowerCase(), factor]));

/** Longer texts are no duration and no size; they are refused before a pattern looks at them. */
const maxTextLength = 40;

export const durationPattern = '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d|w))+$';
export const bytesPattern = '^[0-9]+(\\.[0-9]+)? ?([kKMGT]i?)?B$';

/** Milliseconds of `1h30m`, or null where the text is no duration. */
export function parseDuration(text: string): number | null {
  if (text.length > maxTextLength || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+$/.test(text)) return null;
  let totalMs = 0;
  for (const part of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)) {
    totalMs += Number(part[1]) * durationFactors.get(part[2]!)!;
  }
  totalMs = Math.round(totalMs);
  return Number.isSafeInteger(totalMs) ? totalMs : null;
}

/** Bytes of `64MB`, or null where the text is no size. */
export function parseBytes(text: string): number | null {
  if (text.length > maxTextLength) return null;
  const match = /^(\d+(?:\.\d+)?) ?((?:[kKMGT]i?)?B)$/.exec(text);
  if (match === null) return null;
  const sizeBytes = Math.round(Number(match[1]) * byteFactors.get(match[2]!.toLowerCase())!);
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : null;
}
