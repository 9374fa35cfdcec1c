/**
 * From a machine's series to the charts of its page. A chart is one metric of one instance (a disk, an interface);
 * what an attribute like a mode or a direction tells apart are its lines. Pure.
 */
import type { LatestSeries, Line, MetricChart, Section } from './model.ts';
import { forecastOf } from './outlook.ts';
import {
  isOfProcess,
  type Look,
  lineAttributes,
  lookOf,
  looks,
  quietAttributes,
  titleFromName,
  valueOrder,
  valueWords,
} from './titles.ts';

/** Lines that one chart can show and still be read; more are told apart in several charts. */
const MOST_LINES = 16;

const order = Object.keys(looks);
const rankOf = (name: string): number => {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
};

const sections: readonly { readonly id: string; readonly title: string; readonly test: RegExp }[] = [
  { id: 'cpu', title: 'CPU', test: /^system\.(cpu\.|linux\.(cpu\.|(tasks|context_switches|interrupts)$))/ },
  { id: 'memory', title: 'Memory', test: /^system\.(memory|paging|linux\.(memory|paging))\./ },
  { id: 'disk', title: 'Disks', test: /^system\.disk\./ },
  { id: 'filesystem', title: 'Filesystems', test: /^system\.filesystem\./ },
  {
    id: 'network',
    title: 'Network',
    test: /^(system\.(network\.|linux\.(tcp|udp|conntrack|sockets)\b)|hw\.network\.)/,
  },
  {
    id: 'process',
    title: 'Processes',
    test: /^system\.(process\.|linux\.(thread|file_handles)\.)/,
  },
  { id: 'sensor', title: 'Sensors', test: /^hw\./ },
  { id: 'host', title: 'Host', test: /^systemd?\./ },
  { id: 'picket', title: 'Picket itself', test: /^(picket|process)\./ },
];
const pressureSections: Readonly<Record<string, string>> = { cpu: 'cpu', irq: 'cpu', memory: 'memory', io: 'disk' };
const resourceWords: Readonly<Record<string, string>> = { cpu: 'CPU', io: 'I/O', irq: 'interrupts' };
const sectionOrder = [...sections.slice(0, -1).map(({ id }) => id), 'device', 'other', 'picket'];

interface Drawer {
  readonly section: string;
  readonly sectionTitle: string;
  readonly name: string;
  readonly instance: string;
  readonly look: Look;
  readonly minor: boolean;
  readonly members: LatestSeries[];
}

/** All charts in sections, the telling ones first. */
export function groupSeries(series: readonly LatestSeries[]): readonly Section[] {
  const drawers = new Map<string, Drawer>();
  for (const one of series) {
    const name = one.name.replace(/^(system\.cpu\.load_average)\..*$/, '$1');
    const look = lookOf({ name, attributes: one.attributes }) ?? { title: titleFromName(name) };
    const section = sectionOf(one);
    const perCore = name === 'system.cpu.utilization' && one.attributes['cpu.logical_number'] !== undefined;
    const instance = look.together === undefined ? instanceOf(one) : '';
    const key = `${section.id}\n${name}\n${one.unit}\n${instance}`;
    const drawer = drawers.get(key) ?? {
      section: section.id,
      sectionTitle: section.title,
      name,
      instance,
      look,
      minor: look.minor === true || perCore,
      members: [],
    };
    drawer.members.push(one);
    drawers.set(key, drawer);
  }
  const found = new Map<string, { title: string; charts: MetricChart[] }>();
  for (const drawer of drawers.values()) {
    const section = found.get(drawer.section) ?? { title: drawer.sectionTitle, charts: [] };
    section.charts.push(...chartsOf(drawer));
    found.set(drawer.section, section);
  }
  found.get('cpu')?.charts.push(...busyCharts(series));
  return [...found]
    .map(([id, { title, charts }]) => ({ id, title, charts: charts.sort(byPlace) }))
    .sort((a, b) => placeOf(a.id) - placeOf(b.id) || a.title.localeCompare(b.title));
}

function sectionOf(series: LatestSeries): { id: string; title: string } {
  if (series.name === 'system.linux.pressure.stall') {
    const id = pressureSections[series.attributes.resource ?? ''];
    const found = sections.find((section) => section.id === id);
    if (found !== undefined) return found;
  }
  if (isOfProcess(series)) return sections.find(({ id }) => id === 'process')!;
  // What is said of a disk's future stands beside the disk.
  const name = forecastOf(series) ?? series.name;
  const known = sections.find(({ test }) => test.test(name));
  if (known !== undefined) return known;
  const device = series.attributes.device;
  return device === undefined ? { id: 'other', title: 'Other' } : { id: `device:${device}`, title: device };
}

function placeOf(section: string): number {
  return sectionOrder.indexOf(section.startsWith('device:') ? 'device' : section);
}

function byPlace(a: MetricChart, b: MetricChart): number {
  return (
    Number(a.minor) - Number(b.minor) ||
    a.rank - b.rank ||
    a.title.localeCompare(b.title) ||
    a.instance.localeCompare(b.instance, 'en', { numeric: true })
  );
}

/** What tells this instance of a metric from others: values of the attributes that are no lines. */
function instanceOf(series: LatestSeries): string {
  const values: string[] = [];
  for (const [name, value] of Object.entries(series.attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (lineAttributes.has(name) || quietAttributes.has(name)) continue;
    if (name === 'device') continue;
    if (name === 'resource' && series.name === 'system.linux.pressure.stall') {
      values.push(resourceWords[value] ?? value);
      continue;
    }
    // A filesystem is known by where it is mounted.
    if (name === 'system.device' && series.attributes['system.filesystem.mountpoint'] !== undefined) continue;
    values.push(name === 'cpu.logical_number' ? `core ${value}` : value);
  }
  return values.join(', ');
}

function chartsOf(drawer: Drawer): MetricChart[] {
  const { look, name, instance } = drawer;
  const lines = drawer.members
    .filter((one) => !(look.leaveOut ?? []).some((value) => Object.values(one.attributes).includes(value)))
    .map((one) => lineOf(one, look))
    .sort((a, b) => lineRank(a) - lineRank(b) || a.label.localeCompare(b.label, 'en', { numeric: true }));
  // A metric of which everything would be left out shows everything.
  const shown = lines.length > 0 ? lines : drawer.members.map((one) => lineOf(one, look));
  const unit = look.plain === true && drawer.members[0]!.unit === '1' ? '' : drawer.members[0]!.unit;
  const parts = Math.ceil(shown.length / MOST_LINES);
  const size = Math.ceil(shown.length / parts);
  return Array.from({ length: parts }, (_, part) => ({
    id: `${drawer.section}/${name}/${unit}/${instance}/${part}`,
    name,
    title: look.title,
    instance: parts === 1 ? instance : [instance, `${part + 1} of ${parts}`].filter((text) => text !== '').join(', '),
    unit,
    stack: look.stack === true && shown.length > 1,
    floating: look.floating === true || (looks[name] === undefined && unit !== '1' && !unit.endsWith('/s')),
    minor: drawer.minor,
    rank: rankOf(name),
    lines: shown.slice(part * size, (part + 1) * size),
  }));
}

function lineRank({ series }: Line): number {
  const ranks = Object.values(series.attributes).map((value) => valueOrder.indexOf(value));
  const found = ranks.filter((rank) => rank >= 0);
  return found.length === 0 ? valueOrder.length : Math.min(...found);
}

function lineOf(series: LatestSeries, look: Look): Line {
  return { id: series.id, label: labelOf(series, look), invert: false, series };
}

function labelOf(series: LatestSeries, look: Look): string {
  const load = /^system\.cpu\.load_average\.(\d+)m$/.exec(series.name);
  if (load !== null) return `${load[1]} min`;
  const { attributes } = series;
  if (look.together === 'cpu.logical_number') {
    const core = attributes['cpu.logical_number'];
    return core === undefined ? 'mean' : `core ${core}`;
  }
  const values: string[] = [];
  for (const [name, value] of Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name === 'device' || name === 'hw.parent') continue;
    if (look.together === undefined ? lineAttributes.has(name) : !quietAttributes.has(name)) {
      values.push(valueWords[value] ?? value);
    }
  }
  if (attributes['hw.parent'] !== undefined) values.push(attributes['hw.parent']);
  if (values.length > 0) return values.join(' ');
  return look.together === undefined ? 'all' : (attributes['hw.id'] ?? 'all');
}

/** What is not idle, of the whole and of each core: one line each, so that it has a range and an expected band. */
function busyCharts(series: readonly LatestSeries[]): MetricChart[] {
  const idle = series.filter(
    ({ name, attributes }) => name === 'system.cpu.utilization' && attributes['cpu.mode'] === 'idle',
  );
  const chart = (id: string, title: string, rank: number, lines: readonly Line[]): MetricChart => {
    const common = { name: 'system.cpu.utilization', instance: '', unit: '1', stack: false, floating: false };
    return { id, title, ...common, minor: false, rank, lines };
  };
  const line = (one: LatestSeries, label: string): Line => ({ id: one.id, label, invert: true, series: one });
  const core = (one: LatestSeries): string | undefined => one.attributes['cpu.logical_number'];
  const whole = idle.filter((one) => core(one) === undefined).map((one) => line(one, 'busy'));
  const cores = idle
    .filter((one) => core(one) !== undefined)
    .sort((a, b) => Number(core(a)) - Number(core(b)))
    .map((one) => line(one, `core ${core(one)}`));
  const charts = whole.length > 0 ? [chart('cpu/busy', 'CPU busy', -1, whole)] : [];
  for (let from = 0; cores.length > 1 && from < cores.length; from += MOST_LINES) {
    const part = cores.slice(from, from + MOST_LINES);
    const title = cores.length > MOST_LINES ? `Cores ${from}–${from + part.length - 1} busy` : 'Cores busy';
    charts.push(chart(`cpu/cores/${from}`, title, 0.5, part));
  }
  return charts;
}

/** Charts that hold all the words, in titles, lines or names of metrics. Sections without any are left out. */
export function searchSections(sections: readonly Section[], text: string): readonly Section[] {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return sections;
  return sections
    .map((section) => ({
      ...section,
      charts: section.charts.filter((chart) => {
        const all = [section.title, chart.title, chart.instance, chart.name, ...chart.lines.map(({ label }) => label)]
          .join(' ')
          .toLowerCase();
        return words.every((word) => all.includes(word));
      }),
    }))
    .filter(({ charts }) => charts.length > 0);
}
