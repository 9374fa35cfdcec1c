/**
 * How fast the cores run: OpenTelemetry's `system.cpu.frequency` (Hz); without `cpu.logical_number` it is their mean.
 * /sys/devices/system/cpu/cpuN/cpufreq says it in kHz; where that is not there, "cpu MHz" of /proc/cpuinfo, which ARM
 * has not. Asking a core may interrupt it, hence the slower rhythm.
 */
import fs from 'node:fs';
import type { ValueOf } from '../../../shared/config/schema.ts';
import { integer, object } from '../../../shared/config/types.ts';
import type { Host, Input, InputKind, SampleSink } from '../input.ts';
import { isGone, KeptFile, readError, scanner } from './reader.ts';
import { interval, onLinux, timingOf } from './settings.ts';

const hertzPerKilohertz = 1000;
const hertzPerMegahertz = 1e6;
const maxLogicalCpus = 8192;
/** Reads after which cores are looked for anew. */
const readsPerSearch = 30;
const mhzLabel = Buffer.from('cpu MHz');
const processorLabel = Buffer.from('processor');
const colon = 58;

const config = object({
  doc: 'Frequency of the cores.',
  keys: {
    interval: interval('10s'),
    maxCores: integer({
      doc: 'On a machine with more cores than this only the mean is kept.',
      default: 16,
      min: 0,
      max: 1024,
    }),
  },
});
type Config = ValueOf<typeof config>;

class FrequencyInput implements Input {
  readonly #sysFolder: string;
  readonly #cpuinfo: KeptFile;
  readonly #maxCores: number;
  #policies: { core: number; file: KeptFile }[] = [];
  readonly #series: (number | undefined)[] = [];
  #mean = -1;
  #reads = 0;
  /** Of the current read. */
  readonly #cores = new Int32Array(maxLogicalCpus);
  readonly #hertz = new Float64Array(maxLogicalCpus);
  #count = 0;

  constructor(host: Host, settings: Config) {
    this.#sysFolder = `${host.sysRoot}/devices/system/cpu`;
    this.#cpuinfo = new KeptFile(`${host.procRoot}/cpuinfo`);
    this.#maxCores = settings.maxCores;
  }

  read(_now: unknown, sink: SampleSink): void {
    if (this.#reads++ % readsPerSearch === 0) this.#search();
    this.#count = 0;
    this.#readSys();
    if (this.#count === 0) this.#readCpuinfo();
    if (this.#count === 0) return;
    let sum = 0;
    for (let i = 0; i < this.#count; i++) {
      sum += this.#hertz[i]!;
      if (this.#count <= this.#maxCores) sink.put(this.#coreSeries(this.#cores[i]!, sink), this.#hertz[i]!);
    }
    if (this.#mean === -1) this.#mean = frequencySeries(sink, {});
    sink.put(this.#mean, sum / this.#count);
  }

  async close(): Promise<void> {
    this.#cpuinfo.close();
    for (const { file } of this.#policies) file.close();
  }

  #readSys(): void {
    for (const { core, file } of this.#policies) {
      if (!file.load()) continue;
      const kilohertz = scanner.number();
      if (kilohertz > 0) this.#note(core, kilohertz * hertzPerKilohertz);
    }
  }

  #readCpuinfo(): void {
    if (!this.#cpuinfo.load()) return;
    let core = -1;
    for (; !scanner.atEnd(); scanner.skipLine()) {
      if (scanner.startsWith(processorLabel)) core = numberBehindColon();
      else if (scanner.startsWith(mhzLabel) && core >= 0) this.#note(core, numberBehindColon() * hertzPerMegahertz);
    }
  }

  #note(core: number, hertz: number): void {
    if (this.#count >= maxLogicalCpus || Number.isNaN(hertz)) return;
    this.#cores[this.#count] = core;
    this.#hertz[this.#count++] = hertz;
  }

  #coreSeries(core: number, sink: SampleSink): number {
    let series = this.#series[core];
    if (series === undefined) {
      series = frequencySeries(sink, { 'cpu.logical_number': String(core) });
      this.#series[core] = series;
    }
    return series;
  }

  #search(): void {
    for (const { file } of this.#policies) file.close();
    this.#policies = [];
    for (const name of cpuFolders(this.#sysFolder)) {
      const file = `${this.#sysFolder}/${name}/cpufreq/scaling_cur_freq`;
      if (fs.existsSync(file)) this.#policies.push({ core: Number(name.slice(3)), file: new KeptFile(file) });
    }
    this.#policies.sort((a, b) => a.core - b.core);
  }
}

function cpuFolders(folder: string): readonly string[] {
  try {
    return fs
      .readdirSync(folder)
      .filter((name) => /^cpu\d{1,4}$/.test(name))
      .slice(0, maxLogicalCpus);
  } catch (error) {
    if (isGone(error)) return [];
    throw readError(folder, error);
  }
}

function numberBehindColon(): number {
  const { bytes, end } = scanner;
  while (scanner.position < end && bytes[scanner.position] !== colon && bytes[scanner.position] !== 10) {
    scanner.position++;
  }
  scanner.position++;
  return scanner.number();
}

function frequencySeries(sink: SampleSink, attributes: Readonly<Record<string, string>>): number {
  // A virtual machine's never changes.
  return sink.series({ name: 'system.cpu.frequency', unit: 'Hz', attributes, kind: 'gauge', min: 0, steady: true });
}

export const frequency: InputKind<Config> = {
  doc: 'Frequency of the cores and their mean.',
  config,
  automatic: onLinux,
  timing: timingOf,
  open: async (settings: Config, host: Host) => new FrequencyInput(host, settings),
};
