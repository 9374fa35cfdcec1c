/**
 * Files whose layout is fixed while a kernel runs: `key value` lines (meminfo, vmstat), pairs of a header and a value
 * line (net/snmp, net/netstat), `label key value key value` lines (net/sockstat). Where the wanted values stand is
 * learned from the text once; each sample then walks lines and fields as bytes. The label that begins a line is
 * compared each time, so that a line that came or went (IcmpMsg of net/snmp) is seen and the layout learned anew.
 */
import type { Scanner } from './reader.ts';

/** Where a value stands: its line, and how many fields stand before it on that line. */
interface Place {
  readonly line: number;
  readonly field: number;
  /** Bytes of the field before its number: `total=`. */
  readonly skipBytes?: number;
}

/** Finds the places of all keys in a file's text. */
export type Layout = (text: string) => ReadonlyMap<string, Place>;

interface LearnedPlace extends Place {
  readonly slot: number;
  readonly label: Uint8Array;
}

export class FixedFields {
  /** The wanted values in the order of their keys; NaN where the file has none. */
  readonly values: Float64Array;
  readonly #keys: readonly string[];
  readonly #layout: Layout;
  #places: readonly LearnedPlace[] | null = null;

  constructor(keys: readonly string[], layout: Layout) {
    this.#keys = keys;
    this.#layout = layout;
    this.values = new Float64Array(keys.length).fill(Number.NaN);
  }

  /** Fills `values` from the file that is loaded. */
  parse(scanner: Scanner): void {
    if (this.#places === null || !this.#walk(scanner, this.#places)) {
      this.#places = this.#learn(scanner.allText());
      this.values.fill(Number.NaN);
      scanner.position = 0;
      this.#walk(scanner, this.#places);
    }
  }

  #walk(scanner: Scanner, places: readonly LearnedPlace[]): boolean {
    let line = 0;
    let field = 0;
    for (let i = 0; i < places.length; i++) {
      const place = places[i]!;
      while (line < place.line) {
        if (scanner.atEnd()) return false;
        scanner.skipLine();
        line++;
        field = 0;
      }
      if (field === 0 && !scanner.startsWith(place.label)) return false;
      scanner.skipFields(place.field - field);
      if (place.skipBytes !== undefined) {
        scanner.skipBlanks();
        scanner.position += place.skipBytes;
      }
      this.values[place.slot] = scanner.number();
      field = place.field + 1;
    }
    return true;
  }

  #learn(text: string): readonly LearnedPlace[] {
    const found = this.#layout(text);
    const lines = text.split('\n');
    const encoder = new TextEncoder();
    const places: LearnedPlace[] = [];
    for (const [slot, key] of this.#keys.entries()) {
      const place = found.get(key);
      if (place === undefined) continue;
      // Where the value itself begins the line there is no label to compare.
      const label = place.field === 0 ? '' : (/^\S*\s?/.exec(lines[place.line] ?? '')?.[0] ?? '');
      places.push({ ...place, slot, label: encoder.encode(label) });
    }
    return places.sort((a, b) => a.line - b.line || a.field - b.field);
  }
}

/** `MemFree:  24392704 kB`, `pgfault 4175171`: the key without its colon. */
export const keyValueLines: Layout = (text) => {
  const places = new Map<string, Place>();
  for (const [line, content] of text.split('\n').entries()) {
    const key = /^\S+/.exec(content)?.[0].replace(/:$/, '');
    if (key !== undefined && !places.has(key)) places.set(key, { line, field: 1 });
  }
  return places;
};

/** `Tcp: RtoMin …` above `Tcp: 200 …`: the key is `Tcp.RtoMin`. */
export const headedLines: Layout = (text) => {
  const places = new Map<string, Place>();
  const lines = text.split('\n');
  for (let line = 0; line + 1 < lines.length; line += 2) {
    const [label, ...columns] = lines[line]!.split(/\s+/);
    if (label === undefined || !lines[line + 1]!.startsWith(label)) continue;
    for (const [index, column] of columns.entries()) {
      places.set(`${label.replace(/:$/, '')}.${column}`, { line: line + 1, field: index + 1 });
    }
  }
  return places;
};

/** `TCP: inuse 1 orphan 0`: the key is `TCP.inuse`. */
export const labelledPairs: Layout = (text) => {
  const places = new Map<string, Place>();
  for (const [line, content] of text.split('\n').entries()) {
    const fields = content.split(/\s+/);
    const label = fields[0]?.replace(/:$/, '');
    for (let field = 1; field + 1 < fields.length; field += 2) {
      places.set(`${label}.${fields[field]}`, { line, field: field + 1 });
    }
  }
  return places;
};
