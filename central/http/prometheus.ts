/**
 * Prometheus' text format 0.0.4, and names by the OpenTelemetry → Prometheus convention: dots become underscores, the
 * unit is written out as a suffix, a ratio ends in `_ratio`.
 */
import type { SeriesKey } from '../../shared/series.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** UCUM units in words, per the convention's table. */
const unitWords: Readonly<Record<string, string>> = {
  '1': 'ratio',
  '%': 'percent',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  kBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  bit: 'bits',
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  Hz: 'hertz',
  MHz: 'megahertz',
  Cel: 'celsius',
  K: 'kelvin',
  m: 'meters',
  g: 'grams',
  kg: 'kilograms',
  V: 'volts',
  mV: 'millivolts',
  A: 'amperes',
  W: 'watts',
  J: 'joules',
  'W.h': 'watt_hours',
  Pa: 'pascals',
  bar: 'bars',
  l: 'liters',
};
const perWords: Readonly<Record<string, string>> = {
  s: 'second',
  min: 'minute',
  h: 'hour',
  d: 'day',
  m: 'meter',
};

/** The metric's name of a series. */
export function metricName(key: Pick<SeriesKey, 'name' | 'unit'>): string {
  const base = sanitise(key.name) || 'unnamed';
  const name = /^\d/.test(base) ? `_${base}` : base;
  const suffix = unitSuffix(key.unit);
  return suffix === '' || name === suffix || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`;
}

/** `By/s` → `bytes_per_second`; annotations in braces say nothing about the unit. */
function unitSuffix(unit: string): string {
  const [over = '', ...under] = unit.replace(/\{[^}]*\}/g, '').split('/');
  const top = over === '1' && under.length > 0 ? '' : (unitWords[over] ?? sanitise(over));
  const bottom = under.map((one) => perWords[one] ?? sanitise(one)).filter((one) => one !== '');
  return [top, ...bottom.map((one) => `per_${one}`)].filter((one) => one !== '').join('_');
}

/** Characters that a name cannot have become one underscore. */
function sanitise(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_+|_+$/g, '');
}

/**
 * Labels of a series, with those that we add. Ours win: a series' own `agent` becomes `exported_agent`. Two attributes
 * that end in the same label are joined with `;`, as the convention says.
 */
export function labelsOf(attributes: Readonly<Record<string, string>>, ours: Readonly<Record<string, string>>): string {
  const labels = new Map(Object.entries(ours));
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  const seen = new Set<string>();
  for (const [attribute, value] of sorted) {
    let name = sanitise(attribute) || 'unnamed';
    if (/^\d/.test(name)) name = `key_${name}`;
    if (name in ours) name = `exported_${name}`;
    labels.set(name, seen.has(name) ? `${labels.get(name)};${value}` : value);
    seen.add(name);
  }
  return [...labels].map(([name, value]) => `${name}="${escapeValue(value)}"`).join(',');
}

function escapeValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** A page of metrics. All samples of a name come together, and no sample comes twice, as the format demands. */
export class MetricsPage {
  readonly #families = new Map<string, { type: 'gauge' | 'counter'; help: string; samples: Map<string, number> }>();
  /** Samples that had a name and labels that another had already. */
  skipped = 0;

  add(type: 'gauge' | 'counter', name: string, help: string, labels: string, value: number): void {
    let family = this.#families.get(name);
    if (family === undefined) {
      family = { type, help, samples: new Map() };
      this.#families.set(name, family);
    }
    if (family.samples.has(labels)) this.skipped++;
    else family.samples.set(labels, value);
  }

  toString(): string {
    const lines: string[] = [];
    for (const [name, { type, help, samples }] of this.#families) {
      lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of samples) {
        lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${formatValue(value)}`);
      }
    }
    lines.push('');
    return lines.join('\n');
  }
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
