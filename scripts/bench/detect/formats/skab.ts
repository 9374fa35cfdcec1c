/** Reads the Skoltech Anomaly Benchmark: `skab/valve1/*.csv`, `;`-separated, a row a second, labels in `anomaly`. */
import { namesIn, readLines, setFolder, UsageError } from './files.ts';
import { parseStamp } from './times.ts';

/** The first rows of each file are its training. */
export const skabTrainingRows = 400;

const notSensors: ReadonlySet<string> = new Set(['datetime', 'anomaly', 'changepoint']);

export interface SkabFile {
  readonly name: string;
  readonly sensors: readonly string[];
  readonly timesMs: Float64Array;
  /** Row after row of all sensors. */
  readonly rows: Float64Array;
  readonly labels: Uint8Array;
}

/** All files, or those whose name contains `filter`. */
export function readSkab(dir: string, filter = ''): SkabFile[] {
  const folder = `${setFolder(dir, 'skab')}/valve1`;
  return namesIn(folder)
    .filter((name) => name.endsWith('.csv') && `valve1/${name}`.includes(filter))
    .map((name) => readFile(`${folder}/${name}`, `valve1/${name}`));
}

function readFile(path: string, name: string): SkabFile {
  const lines = readLines(path).map((line) => line.split(';'));
  const header = lines.shift()!;
  const place = (column: string): number => {
    const found = header.indexOf(column);
    if (found < 0) throw new UsageError(`${path} has no column ${column}`);
    return found;
  };
  const time = place('datetime');
  const label = place('anomaly');
  const sensors = header.filter((column) => !notSensors.has(column));
  const places = sensors.map(place);
  return {
    name,
    sensors,
    timesMs: Float64Array.from(lines, (line) => parseStamp(line[time]!)),
    rows: Float64Array.from(lines.flatMap((line) => places.map((column) => Number(line[column])))),
    labels: Uint8Array.from(lines, (line) => Number(line[label])),
  };
}
