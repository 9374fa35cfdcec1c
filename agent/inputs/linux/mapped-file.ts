/** A file with a fixed layout whose wanted values are series one to one; what most inputs of /proc are made of. */
import type { SeriesDefinition } from '../../../shared/series.ts';
import type { SampleSink } from '../input.ts';
import { FixedFields, type Layout } from './fields.ts';
import { KeptFile, scanner } from './reader.ts';

const unasked = -2;

/** A key of the file's layout and the series that its value is. */
export type Mapping = readonly [key: string, definition: SeriesDefinition];

export class MappedFile {
  /** What the file said, in the order of the mappings; NaN where it has no such key. */
  readonly values: Float64Array;
  readonly #file: KeptFile;
  readonly #fields: FixedFields;
  readonly #definitions: readonly SeriesDefinition[];
  readonly #series: Int32Array;

  constructor(path: string, layout: Layout, mappings: readonly Mapping[]) {
    this.#file = new KeptFile(path);
    this.#fields = new FixedFields(
      mappings.map(([key]) => key),
      layout,
    );
    this.values = this.#fields.values;
    this.#definitions = mappings.map(([, definition]) => definition);
    this.#series = new Int32Array(mappings.length).fill(unasked);
  }

  /** Reads and puts all; false where the file is not there. A key that this kernel does not have makes no series. */
  read(sink: SampleSink): boolean {
    if (!this.#file.load()) return false;
    this.#put(sink);
    return true;
  }

  /** As `read`; throws `input.failed` where the file is not there. */
  readRequired(sink: SampleSink): void {
    this.#file.loadRequired();
    this.#put(sink);
  }

  close(): void {
    this.#file.close();
  }

  #put(sink: SampleSink): void {
    this.#fields.parse(scanner);
    const { values } = this;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      let series = this.#series[i]!;
      if (series === unasked) {
        if (Number.isNaN(value)) continue;
        series = sink.series(this.#definitions[i]!);
        this.#series[i] = series;
      }
      sink.put(series, value);
    }
  }
}
