/** What a rule says of one series, in words: its text with the thing in it. */
import { describeSeries } from '../detect/wording.ts';
import type { SeriesKey } from '../series.ts';

/** Attributes that name a thing best, the best first. */
const subjects = [
  'system.filesystem.mountpoint',
  'systemd.unit.name',
  'process.watched.name',
  'hw.name',
  'system.device',
  'network.interface.name',
  'device',
] as const;
const MOST_CHARACTERS = 200;

/** `little space is left on /data`: `{it}` in the text stands for the thing; a text without it is told as it is. */
export function sayRule(text: string, key: SeriesKey): string {
  return text.replaceAll('{it}', () => subjectOf(key)).slice(0, MOST_CHARACTERS);
}

function subjectOf(key: SeriesKey): string {
  for (const name of subjects) {
    const value = key.attributes[name];
    if (value === undefined) continue;
    // Labels of sensors are only unique within their chip.
    const parent = name === 'hw.name' ? key.attributes['hw.parent'] : undefined;
    return parent === undefined ? value : `${value} (${parent})`;
  }
  return describeSeries(key);
}
