/**
 * Reads the Numenta Anomaly Benchmark:
 *
 *   nab/labels/combined_windows.json   {"folder/file.csv": [["from", "to"], …]}, and the order of the files
 *   nab/data/folder/file.csv           timestamp,value
 *   nab/results/<detector>/folder/<detector>_file.csv[.gz]   timestamp,anomaly_score: published results
 */
import { existsSync } from 'node:fs';
import { namesIn, readBytes, readLines, setFolder, UsageError } from './files.ts';
import { parseStamp } from './times.ts';

export interface NabFile {
  /** `folder/file.csv`. */
  readonly name: string;
  /** Place in `combined_windows.json`, from 0. */
  readonly position: number;
  /** As they stand in the file. */
  readonly stamps: readonly string[];
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  /** First and last row of each window, both within it. */
  readonly windows: readonly (readonly [number, number])[];
}

/** All files, or those whose name contains `filter`. */
export function readNab(dir: string, filter = ''): NabFile[] {
  const folder = setFolder(dir, 'nab');
  const labels = `${folder}/labels/combined_windows.json`;
  const windows = JSON.parse(new TextDecoder().decode(readBytes(labels))) as Record<string, [string, string][]>;
  return Object.keys(windows)
    .map((name, position) => ({ name, position }))
    .filter(({ name }) => name.includes(filter))
    .map(({ name, position }) => readFile(`${folder}/data/${name}`, name, position, windows[name]!));
}

function readFile(path: string, name: string, position: number, limits: readonly [string, string][]): NabFile {
  const lines = readLines(path);
  const count = lines.length - 1;
  const stamps = new Array<string>(count);
  const timesMs = new Float64Array(count);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const line = lines[i + 1]!;
    const comma = line.indexOf(',');
    stamps[i] = line.slice(0, comma);
    timesMs[i] = parseStamp(stamps[i]!);
    values[i] = Number(line.slice(comma + 1));
    if (comma < 0 || Number.isNaN(timesMs[i]!)) throw new UsageError(`${path}: line ${i + 2} is no "timestamp,value"`);
  }
  return { name, position, stamps, timesMs, values, windows: limits.map((limit) => rowsWithin(timesMs, limit)) };
}

function rowsWithin(timesMs: Float64Array, [from, to]: readonly [string, string]): [number, number] {
  const fromMs = parseStamp(from);
  const toMs = parseStamp(to);
  let first = timesMs.findIndex((time) => time >= fromMs);
  if (first < 0) first = timesMs.length;
  let last = first;
  while (last + 1 < timesMs.length && timesMs[last + 1]! <= toMs) last++;
  return [first, last];
}

/** Scores that a detector published, in the order of the files; null where one is missing. */
export function readPublished(dir: string, detector: string, files: readonly NabFile[]): Float64Array[] | null {
  const scores: Float64Array[] = [];
  for (const file of files) {
    const [folder, name] = file.name.split('/') as [string, string];
    const base = `${dir}/nab/results/${detector}/${folder}/${detector}_${name}`;
    const path = [`${base}.gz`, base].find((one) => existsSync(one));
    if (path === undefined) return null;
    const lines = readLines(path);
    const column = lines[0]!.split(',').indexOf('anomaly_score');
    if (column < 0) throw new UsageError(`${path} has no column anomaly_score`);
    if (lines.length - 1 !== file.values.length) {
      throw new UsageError(`${path} has ${lines.length - 1} rows, its data ${file.values.length}`);
    }
    scores.push(Float64Array.from(lines.slice(1), (line) => Number(line.split(',')[column])));
  }
  return scores;
}

/** Detectors whose results lie beside the data. */
export function publishedDetectors(dir: string): string[] {
  return namesIn(`${dir}/nab/results`);
}
