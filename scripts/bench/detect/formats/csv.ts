/** Reads a column of any CSV file: `,`, `;` or tab between the fields, names in the first line, quotes as in RFC 4180. */
import { readLines, UsageError } from './files.ts';
import { parseStamp } from './times.ts';

export interface CsvColumn {
  /** As they stand in the file, or the row's number. */
  readonly stamps: readonly string[];
  readonly timesMs: Float64Array;
  /** NaN where there is no number. */
  readonly values: Float64Array;
}

/** Rows are taken as a second apart where no column of times is named. */
const ROW_MS = 1000;
/** Unix times above this are in milliseconds. */
const MOST_SECONDS = 1e11;

export function readCsv(path: string, column: string, timeColumn?: string): CsvColumn {
  const lines = readLines(path);
  const separator = separatorOf(lines[0] ?? '');
  const header = fieldsOf(lines[0] ?? '', separator);
  const place = placeIn(path, header, column);
  const timePlace = timeColumn === undefined ? -1 : placeIn(path, header, timeColumn);
  const count = lines.length - 1;
  const stamps = new Array<string>(count);
  const timesMs = new Float64Array(count);
  const values = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const fields = fieldsOf(lines[i + 1]!, separator);
    const text = fields[place]?.trim() ?? '';
    values[i] = text === '' ? Number.NaN : Number(text);
    stamps[i] = timePlace < 0 ? String(i + 1) : (fields[timePlace] ?? '');
    timesMs[i] = timePlace < 0 ? i * ROW_MS : timeOf(stamps[i]!);
    if (Number.isNaN(timesMs[i]!)) {
      throw new UsageError(`${path}, line ${i + 2}: "${stamps[i]}" in column ${timeColumn} is no time`);
    }
  }
  if (count > 0 && values.every(Number.isNaN)) throw new UsageError(`${path}: column ${column} holds no number`);
  return { stamps, timesMs, values };
}

/** A field for a CSV file, quoted where it must be. */
export function csvField(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function separatorOf(header: string): string {
  const most = (a: string, b: string): string => (header.split(b).length > header.split(a).length ? b : a);
  return [',', ';', '\t'].reduce(most);
}

function fieldsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator);
  const fields: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === '"') {
      if (quoted && line[i + 1] === '"') field += line[i++];
      else quoted = !quoted;
    } else if (char === separator && !quoted) {
      fields.push(field);
      field = '';
    } else field += char;
  }
  fields.push(field);
  return fields;
}

function placeIn(path: string, header: readonly string[], column: string): number {
  const place = header.map((name) => name.trim()).indexOf(column);
  if (place < 0) throw new UsageError(`${path} has no column ${column}; it has ${header.join(', ')}`);
  return place;
}

/** Unix time in seconds or milliseconds, or a date. */
function timeOf(text: string): number {
  const number = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isNaN(number)) return Math.abs(number) > MOST_SECONDS ? number : number * 1000;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const stamp = zoned ? Number.NaN : parseStamp(text);
  return Number.isNaN(stamp) ? Date.parse(zoned || text.length > 10 ? text : `${text}Z`) : stamp;
}
