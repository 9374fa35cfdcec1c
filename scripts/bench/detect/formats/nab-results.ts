/**
 * Writes scores in the format that NAB's own scorer takes:
 *
 *   DIR/results/<detector>/<folder>/<detector>_<file>.csv   timestamp,value,anomaly_score,label
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { NabFile } from './nab.ts';

/** Bits that become a score of one half: NAB wants scores from 0 to 1, and only their order counts. */
const HALF_BITS = 24;

export function writeNabResults(dir: string, detector: string, file: NabFile, bits: Float64Array): void {
  const [folder, name] = file.name.split('/') as [string, string];
  const path = `${dir}/results/${detector}/${folder}/${detector}_${name}`;
  const lines = ['timestamp,value,anomaly_score,label'];
  for (let row = 0; row < bits.length; row++) {
    const score = bits[row]! / (bits[row]! + HALF_BITS);
    const label = file.windows.some(([first, last]) => row >= first && row <= last) ? 1 : 0;
    lines.push(`${file.stamps[row]},${file.values[row]},${score},${label}`);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
}
