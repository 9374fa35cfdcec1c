/** Numbers with their UCUM units as people write them, with the scales that the agents' own words have. */

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const decimal = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const SMALLEST_GROUPED = 10_000;

/** UCUM units that people write otherwise. */
const written: Readonly<Record<string, string>> = {
  Cel: '°C',
  deg: '°',
  rpm: 'rpm',
  '{rpm}': 'rpm',
  Ohm: 'Ω',
  uV: 'µV',
  us: 'µs',
  'm3/h': 'm³/h',
  m3: 'm³',
  m2: 'm²',
};

export interface Scale {
  readonly factor: number;
  /** Behind the number; may be empty. */
  readonly unit: string;
}

/** How values of this size are told: `0.42` of `1` as `42 %`, `3e9 By` as `2.79 GiB`. */
export function scaleOf(size: number, unit: string): Scale {
  const rate = unit.endsWith('/s') ? '/s' : '';
  const base = rate === '' ? unit : unit.slice(0, -2);
  if (unit === '1') return { factor: 100, unit: '%' };
  if (base === 'By') {
    const step = stepOf(Math.log2(Math.max(size, 1)) / 10);
    return { factor: 1024 ** -step, unit: `${binary[step]}B${rate}` };
  }
  if (unit === 's') return secondsScale(size);
  if (unit === 'ms') {
    const scale = secondsScale(size / 1000);
    return { factor: scale.factor / 1000, unit: scale.unit };
  }
  if (base === 'Hz' || base === 'bit') {
    const step = stepOf(Math.log10(Math.max(size, 1)) / 3);
    return { factor: 1000 ** -step, unit: `${decimal[step]}${base}${rate}` };
  }
  if (unit === '' || /^\{[^{}]*\}$/.test(base)) {
    if (unit === '{rpm}') return { factor: 1, unit: 'rpm' };
    const step = size < SMALLEST_GROUPED ? 0 : stepOf(Math.log10(size) / 3);
    return { factor: 1000 ** -step, unit: `${decimal[step]}${rate}` };
  }
  return { factor: 1, unit: written[unit] ?? unit };
}

function stepOf(step: number): number {
  return Math.min(6, Math.max(0, Math.floor(step + 1e-9)));
}

function secondsScale(size: number): Scale {
  if (size > 0 && size < 1e-3) return { factor: 1e6, unit: 'µs' };
  if (size < 1) return { factor: 1e3, unit: 'ms' };
  if (size < 120) return { factor: 1, unit: 's' };
  if (size < 7_200) return { factor: 1 / 60, unit: 'min' };
  return size < 172_800 ? { factor: 1 / 3_600, unit: 'h' } : { factor: 1 / 86_400, unit: 'days' };
}

/** Three digits at most, no trailing zeros, no exponent below a million. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size < 0.000_5) return '0';
  if (size >= 1e6) return value.toExponential(1);
  const text = size >= 99.95 ? value.toFixed(0) : value.toPrecision(size >= 0.9995 ? 3 : 2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `42 %`, `2.79 GiB`, `12 ms`; a missing value is a dash. */
export function formatValue(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const scale = scaleOf(Math.abs(value), unit);
  return join(digits(value * scale.factor), scale.unit);
}

/** `1–12 %`: both ends in one unit. */
export function formatRange(low: number, high: number, unit: string): string {
  const scale = scaleOf(Math.max(Math.abs(low), Math.abs(high)), unit);
  const from = digits(low * scale.factor);
  const to = digits(high * scale.factor);
  if (from === to) return join(to, scale.unit);
  return join(`${from}${to.startsWith('-') ? ' to ' : '–'}${to}`, scale.unit);
}

function join(number: string, unit: string): string {
  if (unit === '') return number;
  return /^[kMGTPE]?\/s$|^[kMGTPE]$/.test(unit) ? number + unit : `${number} ${unit}`;
}

/** What stands above an axis: the unit in words where it is a count (`packets/s`), else nothing that the ticks lack. */
export function unitWords(unit: string): string {
  const count = /^\{([^{}]+)\}(\/s)?$/.exec(unit);
  if (count === null) return '';
  const noun = count[1]!.replaceAll('_', ' ');
  if (noun === 'rpm') return '';
  return plural(noun) + (count[2] ?? '');
}

function plural(noun: string): string {
  if (/(s|x|ch|sh)$/.test(noun)) return `${noun}es`;
  return noun === 'cpu' ? 'CPUs' : `${noun}s`;
}

/** A whole number with thin groups: `12 345`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

export function formatBytes(bytes: number): string {
  return formatValue(bytes, 'By');
}

export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  return share > 0 && share < 0.001 ? '<0.1 %' : `${digits(share * 100)} %`;
}

/** To the full per cent: what is compared at a glance wants no more. */
export function formatPercent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return '–';
  return share > 0 && share < 0.005 ? '<1 %' : `${Math.round(share * 100)} %`;
}

/** One thing or many: `1 incident`, `3 incidents`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${count === 1 ? noun : plural(noun)}`;
}

/** The page of a layer of configuration: `all`, `cohort:NAME`, `agent:ID`. */
export function pathOfLayer(scope: string): string {
  return `/configuration/${scope.replace(':', '/')}`;
}
