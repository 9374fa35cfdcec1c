import { describe, expect, test } from 'vitest';
import { Collected, configOf, hostBelow, openInput, quietLog, readOnce } from '../../test/contract/inputs-harness.ts';
import type { InputKind } from './input.ts';
import { type Sources, systemInformationKind } from './system-information.ts';

const core = (load: number): object => ({
  loadUser: load,
  loadNice: 0,
  loadSystem: 5,
  loadIdle: 95 - load,
  loadIrq: 0,
  loadSteal: 0,
});

/** Answers as the module gives them on macOS. */
function mac(more: Partial<Sources> = {}): Sources {
  return {
    currentLoad: async () => ({
      currentLoadUser: 20,
      currentLoadNice: 0,
      currentLoadSystem: 5,
      currentLoadIdle: 75,
      currentLoadIrq: 0,
      currentLoadSteal: 0,
      cpus: [core(10), core(30)],
    }),
    mem: async () => ({ total: 16e9, free: 1e9, active: 9e9, swaptotal: 2e9, swapused: 5e8 }),
    fsSize: async () => [{ fs: '/dev/disk1s1', type: 'APFS', size: 1e12, used: 4e11, available: 5e11, mount: '/' }],
    networkStats: async () => [
      { iface: 'lo0', rx_bytes: 5, tx_bytes: 5 },
      { iface: 'en0', rx_bytes: 1000, rx_errors: 1, rx_dropped: 2, tx_bytes: 2000, tx_errors: 3, tx_dropped: 4 },
    ],
    loadavg: () => [1.5, 1, 0.5],
    ...more,
  };
}

const warnings: string[] = [];
const host = {
  ...hostBelow('/nowhere'),
  platform: 'darwin' as const,
  log: { ...quietLog, warn: (_facts: object, text: string) => void warnings.push(text) },
};

async function open(sources: Sources, onHost = host as ReturnType<typeof hostBelow>, settings: object = {}) {
  warnings.length = 0;
  const kind = systemInformationKind(async () => sources) as unknown as InputKind<unknown>;
  const into = new Collected();
  const opened = await openInput(kind, configOf(kind, settings), onHost, into);
  const read = (step: number): Promise<void> =>
    readOnce(opened, { monotonicMs: 1000 + step * 10_000, utcMs: 1_795_435_200_000 + step * 10_000 });
  return { into, read };
}

test('runs by itself where there is no Linux, each 10 s', () => {
  const kind = systemInformationKind(async () => mac()) as unknown as InputKind<unknown>;
  expect(kind.automatic(host)).toBe(true);
  expect(kind.automatic({ ...host, platform: 'linux' })).toBe(false);
  expect(kind.timing(configOf(kind))).toEqual({ intervalMs: 10_000, deadlineMs: 10_000 });
});

test('has the names, units and attributes of the Linux inputs', async () => {
  let bytes = 1000;
  const networkStats = async (): Promise<unknown> => {
    bytes += 500;
    return [
      { iface: 'lo0', rx_bytes: 5, tx_bytes: 5 },
      { iface: 'en0', rx_bytes: bytes, rx_errors: 0, rx_dropped: 0, tx_bytes: 7, tx_errors: 0, tx_dropped: 0 },
    ];
  };
  const { into, read } = await open(mac({ networkStats }));
  await read(0);
  await read(1);
  const values = Object.fromEntries(into.values);
  expect(values).toMatchObject({
    'system.cpu.utilization{cpu.mode="user"}': 0.2,
    'system.cpu.utilization{cpu.mode="idle"}': 0.75,
    'system.cpu.utilization{cpu.logical_number="1",cpu.mode="user"}': 0.3,
    'system.memory.limit': 16e9,
    'system.memory.usage{system.memory.state="used"}': 9e9,
    'system.memory.usage{system.memory.state="free"}': 1e9,
    'system.memory.usage{system.memory.state="cached"}': 6e9,
    'system.memory.utilization{system.memory.state="used"}': 0.5625,
    'system.paging.utilization{system.paging.state="used"}': 0.25,
    'system.cpu.load_average.5m': 1,
    'system.network.io{network.interface.name="en0",network.io.direction="receive"}': 50,
    'system.network.io{network.interface.name="en0",network.io.direction="transmit"}': 0,
  });
  const root = 'system.device="/dev/disk1s1",system.filesystem.mountpoint="/"';
  expect(values[`system.filesystem.utilization{${root},system.filesystem.type="APFS"}`]).toBeCloseTo(4 / 9, 12);
  expect(Object.keys(values).filter((name) => name.includes('lo0'))).toEqual([]);
});

test('on Linux, for comparison, its series are others than those of the files', async () => {
  const { into, read } = await open(mac(), { ...host, platform: 'linux' });
  await read(0);
  expect([...into.values.keys()].every((name) => name.includes('source="systeminformation"'))).toBe(true);
});

test('keeps only the total of many cores', async () => {
  const { into, read } = await open(mac(), host, { maxCores: 1 });
  await read(0);
  expect([...into.values.keys()].filter((name) => name.includes('cpu.logical_number'))).toEqual([]);
});

describe('faults', () => {
  test('a part that fails is bad and named once; the others go on', async () => {
    let fails = false;
    const fsSize = async (): Promise<unknown> => (fails ? Promise.reject(new Error('df: not found')) : mac().fsSize());
    const { into, read } = await open(mac({ fsSize }));
    await read(0);
    fails = true;
    await read(1);
    await read(2);
    const limit = [...into.values.keys()].find((name) => name.startsWith('system.filesystem.limit'))!;
    expect(into.values.get(limit)).toBeNull();
    expect(into.values.get('system.memory.limit')).toBe(16e9);
    expect(warnings).toEqual([
      'systeminformation gives no filesystems: df: not found. Its values are bad, the others go on.',
    ]);
    fails = false;
    await read(3);
    expect(into.values.get(limit)).toBe(1e12);
  });

  test('when all fails, so does the input', async () => {
    const no = async (): Promise<never> => Promise.reject(new Error('no'));
    const { read } = await open({ currentLoad: no, mem: no, fsSize: no, networkStats: no, loadavg: () => [0, 0, 0] });
    await expect(read(0)).rejects.toThrow('systeminformation gives nothing: processor: no; memory: no');
  });

  test('what is gone is forgotten, and rubbish is no value', async () => {
    let filesystems: unknown = await mac().fsSize();
    const { into, read } = await open(mac({ fsSize: async () => filesystems, mem: async () => ({ total: 'much' }) }));
    await read(0);
    expect([...into.values.keys()].filter((name) => name.startsWith('system.filesystem'))).toHaveLength(4);
    filesystems = [null, 7, { fs: 3, mount: {} }];
    await read(1);
    expect([...into.values.keys()].filter((name) => name.startsWith('system.filesystem'))).toEqual([]);
    expect(into.values.get('system.memory.limit')).toBeNull();
  });
});
