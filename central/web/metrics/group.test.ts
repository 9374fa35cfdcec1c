import { describe, expect, it } from 'vitest';
import { groupSeries, searchSections } from './group.ts';
import type { LatestSeries } from './model.ts';

let next = 0;
function series(name: string, unit: string, attributes: Record<string, string> = {}): LatestSeries {
  const values = { timeMs: 0, mean: 1, min: 1, max: 1, last: 1, anomalyShare: 0, highestScore: 0 };
  return { id: String(next++).padStart(16, '0'), name, unit, attributes, ...values };
}

const modes = ['user', 'system', 'idle', 'iowait'];
const cpu = (core?: number): LatestSeries[] =>
  modes.map((mode) =>
    series('system.cpu.utilization', '1', {
      'cpu.mode': mode,
      ...(core !== undefined && { 'cpu.logical_number': String(core) }),
    }),
  );

const find = (all: readonly LatestSeries[], section: string) =>
  groupSeries(all).find(({ id }) => id === section)?.charts ?? [];

describe('charts of a machine', () => {
  it('stack the CPU by mode without what is idle, and show what is busy as one line', () => {
    const charts = find(cpu(), 'cpu');
    const stack = charts.find(({ title }) => title === 'CPU by mode')!;
    expect(stack.stack).toBe(true);
    expect(stack.lines.map(({ label }) => label)).toEqual(['user', 'system', 'waiting for I/O']);
    const busy = charts[0]!;
    expect(busy.title).toBe('CPU busy');
    expect(busy.lines).toHaveLength(1);
    expect(busy.lines[0]).toMatchObject({ invert: true, series: { attributes: { 'cpu.mode': 'idle' } } });
  });

  it('put 64 cores into charts that can be read, in the order of their numbers', () => {
    const all = Array.from({ length: 64 }, (_, core) => cpu(core)).flat();
    const cores = find(all, 'cpu').filter(({ title }) => title.startsWith('Cores '));
    expect(cores.map(({ title }) => title)).toEqual([
      'Cores 0–15 busy',
      'Cores 16–31 busy',
      'Cores 32–47 busy',
      'Cores 48–63 busy',
    ]);
    expect(cores[1]!.lines[0]!.label).toBe('core 16');
    expect(find(all, 'cpu').filter(({ minor, stack }) => minor && stack)).toHaveLength(64);
  });

  it('give each disk a chart whose lines are reading and writing', () => {
    const io = ['sda', 'sdb'].flatMap((device) =>
      ['write', 'read'].map((direction) =>
        series('system.disk.io', 'By/s', { 'system.device': device, 'disk.io.direction': direction }),
      ),
    );
    const charts = find(io, 'disk');
    expect(charts.map(({ title, instance }) => `${title} ${instance}`)).toEqual(['Throughput sda', 'Throughput sdb']);
    expect(charts[0]!.lines.map(({ label }) => label)).toEqual(['read', 'write']);
  });

  it('know a filesystem by where it is mounted', () => {
    const one = series('system.filesystem.utilization', '1', {
      'system.device': '/dev/sda1',
      'system.filesystem.mountpoint': '/data',
      'system.filesystem.type': 'xfs',
    });
    expect(find([one], 'filesystem')[0]).toMatchObject({ title: 'Space used', instance: '/data' });
  });

  it('put the three load averages into one chart', () => {
    const loads = ['15', '1', '5'].map((span) => series(`system.cpu.load_average.${span}m`, '{thread}'));
    const charts = find(loads, 'cpu');
    expect(charts).toHaveLength(1);
    expect(charts[0]!.lines.map(({ label }) => label)).toEqual(['1 min', '5 min', '15 min']);
  });

  it('put what stalls a resource into the section of that resource', () => {
    const stall = (resource: string) => series('system.linux.pressure.stall', '1', { resource, tasks: 'some' });
    const all = ['cpu', 'memory', 'io'].map(stall);
    expect(find(all, 'cpu')[0]).toMatchObject({ title: 'Time stalled', instance: 'CPU' });
    expect(find(all, 'memory')).toHaveLength(1);
    expect(find(all, 'disk')[0]).toMatchObject({ instance: 'I/O' });
  });

  it('give each device a section of its own, and Picket the last', () => {
    const all = [
      series('picket.tick.skipped', '{tick}/s'),
      series('flow', 'm3/h', { device: 'pump' }),
      series('pressure', 'bar', { device: 'pump' }),
      series('system.uptime', 's'),
      series('what.is_this', '{x}'),
    ];
    expect(groupSeries(all).map(({ title }) => title)).toEqual(['Host', 'pump', 'Other', 'Picket itself']);
    expect(find(all, 'device:pump').map(({ title, instance }) => title + instance)).toEqual(['Flow', 'Pressure']);
  });

  it('lose no series but those that a stack leaves out', () => {
    const all = [...cpu(), ...cpu(0), series('system.memory.usage', 'By', { 'system.memory.state': 'free' })];
    const shown = new Set(
      groupSeries(all).flatMap(({ charts }) => charts.flatMap(({ lines }) => lines.map(({ id }) => id))),
    );
    const missing = all.filter(({ id }) => !shown.has(id));
    // One core alone has no chart of cores: what it is idle is what the whole is idle.
    expect(missing.map(({ attributes }) => attributes['cpu.mode'])).toEqual(['idle']);
    // A memory of which only what is free is known shows that.
    expect(missing.some(({ name }) => name === 'system.memory.usage')).toBe(false);
  });

  it('take plain numbers of unit 1 for what they are', () => {
    const queue = series('system.disk.queue', '1', { 'system.device': 'sda' });
    expect(find([queue], 'disk')[0]!.unit).toBe('');
  });
});

describe('figures of processes', () => {
  const usage = (name: string, unit: string) => [
    series(name, unit),
    ...['pump', 'web'].map((watched) => series(name, unit, { 'process.watched.name': watched })),
  ];
  const all = [...usage('process.memory.usage', 'By'), ...usage('process.cpu.utilization', '1')];

  it('of watched ones are lines of one chart among the processes; the agent has its own', () => {
    const lines = (section: string) =>
      find(all, section).map(({ title, lines }) => `${title}: ${lines.map(({ label }) => label).join(', ')}`);
    expect(lines('process')).toEqual(['CPU of processes: pump, web', 'Memory of processes: pump, web']);
    expect(lines('picket')).toEqual(['CPU of the agent: all', 'Memory of the agent: all']);
  });
});

describe('search', () => {
  const sections = groupSeries([
    ...cpu(),
    series('system.network.io', 'By/s', { 'network.interface.name': 'eth0', 'network.io.direction': 'receive' }),
  ]);
  const titles = (text: string) =>
    searchSections(sections, text).flatMap(({ charts }) => charts.map(({ title }) => title));

  it('finds by title, section, line and name of the metric, in any order and case', () => {
    expect(titles('ETH0 traffic')).toEqual(['Traffic']);
    expect(titles('cpu traffic')).toEqual([]);
    expect(titles('received')).toEqual(['Traffic']);
    expect(titles('system.cpu')).toEqual(['CPU busy', 'CPU by mode']);
    expect(titles('network')).toEqual(['Traffic']);
  });

  it('leaves sections without a hit out, and shows all for nothing', () => {
    expect(searchSections(sections, 'no such thing')).toEqual([]);
    expect(searchSections(sections, '  ')).toBe(sections);
  });
});
