/**
 * Reads the Server Machine Dataset: for each server `smd/NAME_train.f32.gz` and `NAME_test.f32.gz` (little-endian
 * float32, row after row of 38 metrics, a row a minute) and `NAME_label.u8.gz` (one byte a row of the test).
 */
import { namesIn, readBytes, setFolder, UsageError } from './files.ts';

export const smdMetrics = 38;

export interface SmdServer {
  readonly name: string;
  /** Row after row of `smdMetrics`. */
  readonly train: Float32Array;
  readonly test: Float32Array;
  /** Of the rows of the test. */
  readonly labels: Uint8Array;
}

/** One server after the other, since one takes megabytes; those whose name contains `filter`. */
export function* readSmd(dir: string, filter = ''): Generator<SmdServer> {
  const folder = setFolder(dir, 'smd');
  const ending = '_label.u8.gz';
  for (const file of namesIn(folder)) {
    const name = file.slice(0, -ending.length);
    if (!file.endsWith(ending) || !name.includes(filter)) continue;
    const train = floats(`${folder}/${name}_train.f32.gz`);
    const test = floats(`${folder}/${name}_test.f32.gz`);
    const labels = readBytes(`${folder}/${file}`);
    if (labels.length !== test.length / smdMetrics) {
      throw new UsageError(`${folder}/${file}: ${labels.length} labels for ${test.length / smdMetrics} rows`);
    }
    yield { name, train, test, labels };
  }
}

function floats(path: string): Float32Array {
  const bytes = readBytes(path);
  if (bytes.length % (4 * smdMetrics) !== 0) {
    throw new UsageError(`${path}: ${bytes.length} bytes are no rows of ${smdMetrics} float32`);
  }
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
