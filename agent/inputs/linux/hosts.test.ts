/** What the golden folders do not show: things that come and go, hang, or take a minute. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatSeries, Quality, type SeriesDefinition, type SeriesKey } from '../../../shared/series.ts';
import type { Host, InputKind, SampleSink } from '../input.ts';
import { clockSync } from './clock-sync.ts';
import { cpu } from './cpu.ts';
import { filesystem } from './filesystem.ts';
import { parseMounts } from './mounts.ts';
import { network } from './network.ts';
import { processes } from './processes.ts';
import { sensors } from './sensors.ts';
import { StatfsGate } from './statfs-gate.ts';
import type { TopDocument } from './top.ts';

let root = '';
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'picket-hosts-'));
  write('proc/.keep', '');
});
afterEach(() => fs.rmSync(root, { recursive: true }));

function write(file: string, content: string): void {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), content);
}

/** Raw values by series, as they were put last. */
class Memory implements SampleSink {
  readonly definitions: SeriesDefinition[] = [];
  readonly values = new Map<string, number>();
  readonly qualities = new Map<string, Quality>();
  readonly states = new Map<string, string>();
  readonly forgotten: string[] = [];
  readonly tops: TopDocument[] = [];
  series(definition: SeriesDefinition): number {
    return this.definitions.push(definition) - 1;
  }
  put(series: number, value: number, quality: Quality = Quality.good): void {
    if (series < 0) return;
    this.values.set(formatSeries(this.definitions[series]!), value);
    this.qualities.set(formatSeries(this.definitions[series]!), quality);
  }
  state(key: SeriesKey, value: string): void {
    this.states.set(formatSeries(key), value);
  }
  forget(series: number): void {
    if (series >= 0) this.forgotten.push(formatSeries(this.definitions[series]!));
  }
  replaced(): void {}
  document(_name: string, content: unknown): void {
    this.tops.push(content as TopDocument);
  }
}

async function open<C>(kind: InputKind<C>, settings: object = {}) {
  const host: Host = {
    procRoot: `${root}/proc`,
    sysRoot: `${root}/sys`,
    root,
    platform: 'linux',
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  };
  const config = kind.config.parse(settings, [], []);
  if (config === undefined) throw new Error('the settings are wrong');
  const input = await kind.open(config, host);
  const sink = new Memory();
  const read = async (seconds = 0): Promise<void> =>
    input.read({ monotonicMs: seconds * 1000, utcMs: seconds * 1000 }, sink, new AbortController().signal);
  return { sink, read, close: () => input.close() };
}

describe('processor', () => {
  test('a core that goes offline changes the share that a tick of the total is', async () => {
    write('proc/stat', 'cpu  3 0 0 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0\nintr 5\n');
    const { sink, read, close } = await open(cpu);
    await read();
    const scaleOfTotal = (): number | undefined =>
      sink.definitions.findLast((definition) => formatSeries(definition) === 'system.cpu.utilization{cpu.mode="user"}')
        ?.scale;
    expect(scaleOfTotal()).toBe(0.005);
    write('proc/stat', 'cpu  4 0 0 0 0 0 0 0\ncpu1 4 0 0 0 0 0 0 0\nintr 5\n');
    await read(1);
    expect(scaleOfTotal()).toBe(0.01);
    expect(sink.forgotten).toContain('system.cpu.utilization{cpu.logical_number="0",cpu.mode="user"}');
    expect(sink.values.get('system.cpu.utilization{cpu.logical_number="1",cpu.mode="user"}')).toBe(4);
    expect(sink.values.get('system.cpu.logical.count')).toBe(1);
    await close();
  });

  test('waiting that steps back a little stands still; a large step is a reset', async () => {
    const { sink, read, close } = await open(cpu);
    const seen: (number | undefined)[] = [];
    for (const ticks of [5000, 4990, 5003, 3000]) {
      write('proc/stat', `cpu  1 1 1 1 ${ticks} 1 1 1\ncpu0 1 1 1 1 ${ticks} 1 1 1\n`);
      await read();
      seen.push(sink.values.get('system.cpu.utilization{cpu.mode="iowait"}'));
    }
    expect(seen).toEqual([5000, 5000, 5003, 3000]);
    await close();
  });

  test('cores are left out when the machine has more than were asked for', async () => {
    write('proc/stat', 'cpu  3 0 0 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0\ncpu1 2 0 0 0 0 0 0 0\n');
    const { sink, read, close } = await open(cpu, { maxCores: 1 });
    await read();
    expect([...sink.values.keys()].some((key) => key.includes('logical_number'))).toBe(false);
    await close();
  });
});

test('network: an interface that is pulled out is forgotten and comes back as itself', async () => {
  const header = 'a\nb\n';
  const row = (name: string, bytes: number): string => `${name}: ${bytes} 0 0 0 0 0 0 0 7 0 0 0 0 0 0 0\n`;
  write('proc/net/dev', header + row('eth0', 1) + row('wwan0', 2));
  write('sys/class/net/wwan0/operstate', 'unknown\n');
  const { sink, read, close } = await open(network);
  await read();
  expect(sink.values.get('hw.network.up{network.interface.name="wwan0"}')).toBe(1);
  write('proc/net/dev', header + row('eth0', 3));
  await read(1);
  expect(sink.forgotten).toContain('system.network.io{network.interface.name="wwan0",network.io.direction="receive"}');
  expect(sink.forgotten).toContain('hw.network.up{network.interface.name="wwan0"}');
  write('proc/net/dev', header + row('eth0', 4) + row('eth0:1', 5) + row('wwan0', 9));
  await read(2);
  const io = (name: string): number | undefined =>
    sink.values.get(`system.network.io{network.interface.name="${name}",network.io.direction="receive"}`);
  expect([io('eth0'), io('eth0:1'), io('wwan0')]).toEqual([4, 5, 9]);
  await close();
});

describe('filesystems', () => {
  const mounts = [
    'proc /proc proc rw 0 0',
    '/dev/sda2 /mnt/bind\\040mount ext4 rw 0 0',
    '/dev/sda2 / ext4 rw 0 0',
    '/dev/sda1 /boot/efi vfat rw 0 0',
    '/dev/sr0 /media iso9660 ro 0 0',
    'server:/x /srv nfs4 rw 0 0',
    'sshfs#x /home/x fuse.sshfs rw 0 0',
    'overlay /var/lib/docker/overlay2/1/merged overlay rw 0 0',
    'tank/data /tank zfs rw 0 0',
    'broken',
  ].join('\n');

  test('one mount of each local device is kept, octal escapes are read', () => {
    expect(parseMounts(mounts, false).map((mount) => mount.point)).toEqual(['/', '/boot/efi', '/tank']);
    expect(parseMounts('/dev/sda2 /mnt/a\\040b\\134c ext4 rw 0 0', false)[0]?.point).toBe('/mnt/a b\\c');
  });

  test('those of the network come on demand', () => {
    expect(parseMounts(mounts, true).map((mount) => mount.point)).toContain('/srv');
    expect(parseMounts(mounts, true).map((mount) => mount.point)).toContain('/home/x');
  });

  test('space is what statfs says; a mount that was taken away is forgotten', async () => {
    write('proc/self/mounts', '/dev/sda2 / ext4 rw 0 0\n/dev/sdb1 /data xfs rw 0 0\n/dev/sdc1 /gone ext4 rw 0 0\n');
    write('data/.keep', '');
    const { sink, read, close } = await open(filesystem);
    await read();
    const named = 'system.device="/dev/sdb1",system.filesystem.mountpoint="/data"';
    const stats = fs.statfsSync(root);
    expect(sink.values.get(`system.filesystem.limit{${named},system.filesystem.type="xfs"}`)).toBe(
      stats.blocks * stats.bsize,
    );
    expect([...sink.values.keys()].some((key) => key.includes('/gone'))).toBe(false);
    write('proc/self/mounts', '/dev/sda2 / ext4 rw 0 0\n');
    await read(10);
    expect(sink.forgotten).toContain(`system.filesystem.limit{${named},system.filesystem.type="xfs"}`);
    await close();
  });

  test('a mount that hangs is not asked again before it answers, and two of them stop all asking', async () => {
    const asked: string[] = [];
    const release = new Map<string, (error: Error) => void>();
    const gate = new StatfsGate((file) => {
      asked.push(file);
      if (file === '/good') return Promise.resolve({ type: 1 } as fs.StatsFs);
      return new Promise((_, reject) => release.set(file, reject));
    }, 2);
    expect(await gate.ask('/hung')).toBe('late');
    expect(await gate.ask('/hung')).toBe('late');
    expect(await gate.ask('/good')).toEqual({ type: 1 });
    expect(await gate.ask('/hung2')).toBe('late');
    expect(await gate.ask('/good')).toBe('late');
    expect(asked).toEqual(['/hung', '/good', '/hung2']);
    release.get('/hung')!(new Error('EIO'));
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
    expect(await gate.ask('/good')).toEqual({ type: 1 });
  });
});

describe('processes', () => {
  const stat = (pid: number, name: string, ticks: number, pages: number, start = 500): void =>
    write(
      `proc/${pid}/stat`,
      `${pid} (${name}) S 1 1 1 0 -1 4194304 99 0 0 0 ${ticks} 0 0 0 20 0 1 0 ${start} 3133440 ${pages} 0 0 0\n`,
    );
  const io = (pid: number, bytes: number): void =>
    write(`proc/${pid}/io`, `rchar: 1\nread_bytes: ${bytes}\nwrite_bytes: 100\ncancelled_write_bytes: 0\n`);

  test('the largest users are told once a minute, measured since the time before', async () => {
    for (const pid of [1, 2, 3]) {
      stat(pid, `p${pid}`, 1000, pid * 10);
      io(pid, 0);
    }
    stat(4, 'old', 9999, 0);
    const { sink, read, close } = await open(processes, { top: 2 });
    await read(0);
    await read(10);
    expect(sink.tops).toEqual([]);
    stat(1, 'p1', 1600, 10);
    stat(2, 'p2', 1060, 20);
    io(3, 6000);
    // Another process took the number of one that ended: all that it used, it used now.
    stat(4, 'new', 300, 1, 9000);
    await read(60);
    // The others began 5 s after the boot.
    expect(sink.tops).toEqual([
      {
        atMs: 60_000,
        spanMs: 60_000,
        byCpu: [
          { pid: 1, name: 'p1', cpu: 0.1, memoryBytes: 40_960, ioBytesPerSecond: 0, ageS: 55 },
          // It began at 90 s, which is not yet.
          { pid: 4, name: 'new', cpu: 0.05, memoryBytes: 4096, ioBytesPerSecond: null, ageS: 0 },
        ],
        byMemory: [
          { pid: 3, name: 'p3', cpu: 0, memoryBytes: 122_880, ioBytesPerSecond: 100, ageS: 55 },
          { pid: 2, name: 'p2', cpu: 0.01, memoryBytes: 81_920, ioBytesPerSecond: 0, ageS: 55 },
        ],
        byIo: [{ pid: 3, name: 'p3', cpu: 0, memoryBytes: 122_880, ioBytesPerSecond: 100, ageS: 55 }],
      },
    ]);
    await close();
  });

  test('names with parentheses and blanks do not shift the numbers', async () => {
    stat(7, 'a) R 1 (b', 5, 6);
    const { sink, read, close } = await open(processes, { top: 1 });
    await read(0);
    stat(7, 'a) R 1 (b', 65, 6);
    await read(60);
    expect(sink.values.get('system.process.count{process.status="sleeping"}')).toBe(1);
    expect(sink.tops[0]?.byCpu[0]).toMatchObject({ name: 'a) R 1 (b', cpu: 0.01 });
    await close();
  });

  test('many of them are read with turns for other work in between', async () => {
    for (let pid = 1; pid <= 200; pid++) stat(pid, 'x', 1, 1);
    const { sink, read, close } = await open(processes);
    let turns = 0;
    const reading = read();
    const count = (): void => {
      turns++;
      if (!sink.values.size) setImmediate(count);
    };
    setImmediate(count);
    await reading;
    expect(sink.values.get('system.process.count{process.status="sleeping"}')).toBe(200);
    expect(turns).toBeGreaterThan(3);
    await close();
  });
});

test('sensors: a chip is named by its device, and one that is unplugged is forgotten', async () => {
  write('sys/class/hwmon/hwmon3/name', 'nvme\n');
  write('sys/class/hwmon/hwmon3/temp1_input', '38850\n');
  write('sys/class/hwmon/hwmon3/temp1_label', 'Composite\n');
  fs.symlinkSync('../../nvme0', path.join(root, 'sys/class/hwmon/hwmon3/device'));
  const { sink, read, close } = await open(sensors);
  await read();
  const named = 'hw.temperature{hw.id="nvme@nvme0/temp1",hw.name="Composite",hw.parent="nvme@nvme0"}';
  expect(sink.values.get(named)).toBe(38850);
  fs.rmSync(path.join(root, 'sys/class/hwmon/hwmon3'), { recursive: true });
  for (let i = 0; i < 30; i++) await read(i);
  expect(sink.forgotten).toEqual([named]);
  await close();
});

describe('clock', () => {
  const at = 1_700_000_000;
  test.each(['run/systemd/timesync/synchronized', 'run/chrony/chronyd.pid'])(
    'a service that was seen to run and does not any more has stopped: %s',
    async (file) => {
      if (file.endsWith('.pid')) drift(1);
      write(file, '1\n');
      const { sink, read, close } = await open(clockSync);
      const answer = async (): Promise<string | undefined> => {
        await read(at);
        return sink.states.get('system.clock.synchronization');
      };
      expect(await answer()).toBe('yes');
      fs.rmSync(path.dirname(path.join(root, file)), { recursive: true });
      expect(await answer()).toBe('stopped');
      write(file, '2\n');
      expect(await answer()).toBe('yes');
      await close();
    },
  );

  test('another service that took over is asked', async () => {
    write('run/systemd/timesync/synchronized', '');
    const { sink, read, close } = await open(clockSync);
    await read(at);
    fs.rmSync(path.join(root, 'run/systemd/timesync'), { recursive: true });
    write('run/chrony/chronyd.pid', '7\n');
    await read(at);
    expect(sink.states.get('system.clock.synchronization')).toBe('unknown');
    drift(0);
    await read(at);
    expect(sink.states.get('system.clock.synchronization')).toBe('yes');
    await close();
  });

  const drift = (ageHours: number): void => {
    write('var/lib/chrony/chrony.drift', '1.2 0.1\n');
    const seconds = at - ageHours * 3600;
    fs.utimesSync(path.join(root, 'var/lib/chrony/chrony.drift'), seconds, seconds);
  };
  test.each([
    ['chrony wrote its drift an hour ago', 1, 'yes'],
    ['chrony has not written for a day', 24, 'unknown'],
  ])('%s', async (_what, ageHours, expected) => {
    drift(ageHours);
    const { sink, read, close } = await open(clockSync);
    await read(at);
    expect(sink.states.get('system.clock.synchronization')).toBe(expected);
    await close();
  });
});
