/**
 * The part of the inventory that costs next to nothing: small files of a Linux host and what Node knows. It is there
 * also where the rest fails. Firmware tables are in /sys/class/dmi/id (PCs) or /proc/device-tree (boards).
 */
import { access } from 'node:fs/promises';
import os from 'node:os';
import { readBounded } from '../../state/files.ts';
import type { Host } from '../input.ts';
import { countOf, known, textOf } from './bounded.ts';
import type { Inventory } from './parts.ts';

const maxFileBytes = 4096;
/** /proc/cpuinfo repeats itself for each core; the first one says it all. A machine of 64 cores has 100 KB. */
const maxCpuinfoBytes = 1024 * 1024;
const bytesPerKibibyte = 1024;

/** OpenTelemetry's `host.arch` by Node's names. */
const architectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: 'x86',
  arm: 'arm32',
  arm64: 'arm64',
  ppc64: 'ppc64',
  s390x: 's390x',
};
/** OpenTelemetry's `os.type` by Node's names. */
const systems: Readonly<Record<string, string>> = {
  win32: 'windows',
  sunos: 'solaris',
};

/** Never rejects: what cannot be read is left out. */
export async function inventoryOfFiles(host: Host, identifiers: boolean): Promise<Inventory> {
  const common = known({
    'host.arch': architectures[os.arch()] ?? os.arch(),
    'os.type': systems[host.platform] ?? host.platform,
  });
  if (host.platform === 'linux') return await linux(common, host, identifiers);
  const cpus = os.cpus();
  return {
    resource: {
      ...common,
      ...known({
        'host.name': textOf(os.hostname()),
        'host.cpu.model.name': textOf(cpus[0]?.model),
        'os.version': textOf(os.release()),
      }),
    },
    memory: known({ sizeBytes: os.totalmem() }),
    processor: known({ threads: countOf(cpus.length) }),
  };
}

async function linux(
  common: Inventory['resource'],
  { procRoot, sysRoot, root }: Host,
  identifiers: boolean,
): Promise<Inventory> {
  const dmi = (name: string): Promise<string | null> => line(`${sysRoot}/class/dmi/id/${name}`);
  const release = parseRelease((await read(`${root}/etc/os-release`)) ?? (await read(`${root}/usr/lib/os-release`)));
  const cpu = firstProcessor(await read(`${procRoot}/cpuinfo`, maxCpuinfoBytes));
  const tree = `${procRoot}/device-tree`;
  return {
    resource: {
      ...common,
      ...known({
        'host.name': await line(`${procRoot}/sys/kernel/hostname`),
        'host.id': identifiers ? await line(`${root}/etc/machine-id`) : null,
        // ARM cores have numbers and no name; the board's kernel names its chip.
        'host.cpu.model.name': textOf(cpu.get('model name')) ?? textOf(cpu.get('Hardware')),
        'host.cpu.vendor.id': textOf(cpu.get('vendor_id')) ?? textOf(cpu.get('CPU implementer')),
        'host.cpu.family': textOf(cpu.get('cpu family')) ?? textOf(cpu.get('CPU architecture')),
        'host.cpu.model.id': textOf(cpu.get('model')) ?? textOf(cpu.get('CPU part')),
        'host.cpu.stepping': textOf(cpu.get('stepping')) ?? textOf(cpu.get('CPU revision')),
        'os.name': textOf(release.get('NAME')),
        'os.version': textOf(release.get('VERSION_ID')),
        'os.description': textOf(release.get('PRETTY_NAME')),
        'os.build_id': textOf(release.get('BUILD_ID')),
        'device.manufacturer': await dmi('sys_vendor'),
        'device.model.name': (await line(`${tree}/model`)) ?? textOf(cpu.get('Model')) ?? (await dmi('product_name')),
        'device.id': identifiers
          ? ((await line(`${tree}/serial-number`)) ?? textOf(cpu.get('Serial')) ?? (await dmi('product_serial')))
          : null,
      }),
    },
    kernel: known({ release: await line(`${procRoot}/sys/kernel/osrelease`) }),
    board: known({ manufacturer: await dmi('board_vendor'), model: await dmi('board_name') }),
    firmware: known({
      vendor: await dmi('bios_vendor'),
      version: await dmi('bios_version'),
      date: await dmi('bios_date'),
    }),
    processor: known({ threads: countOf(Number(cpu.get('processors'))) }),
    memory: known({ sizeBytes: memoryBytes(await read(`${procRoot}/meminfo`)) }),
    virtualisation: known({
      hypervisor: cpu.has('flags') ? / hypervisor( |$)/.test(` ${cpu.get('flags')}`) : null,
      container: await containerOf(root),
    }),
  };
}

async function read(path: string, maxBytes = maxFileBytes): Promise<string | null> {
  return await readBounded(path, maxBytes).catch(() => null);
}

/** The text of a file of one line; files of the device tree end in a NUL. */
async function line(path: string): Promise<string | null> {
  return textOf(await read(path));
}

/** os-release(5): shell assignments. */
function parseRelease(text: string | null): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const row of (text ?? '').split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(row);
    if (match !== null) pairs.set(match[1]!, match[2]!.replace(/^(["'])(.*)\1$/, '$2').replace(/\\(["'$`\\])/g, '$1'));
  }
  return pairs;
}

/** Keys of the first core and of the board, and under `processors` how many cores there are. */
function firstProcessor(text: string | null): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  let processors = 0;
  for (const row of (text ?? '').split('\n')) {
    const colon = row.indexOf(':');
    if (colon < 0) continue;
    const key = row.slice(0, colon).trim();
    if (key === 'processor') processors++;
    if (!pairs.has(key)) pairs.set(key, row.slice(colon + 1).trim());
  }
  pairs.set('processors', String(processors));
  return pairs;
}

function memoryBytes(meminfo: string | null): number | null {
  const match = /^MemTotal:\s+(\d{1,15}) kB/m.exec(meminfo ?? '');
  return match === null ? null : Number(match[1]) * bytesPerKibibyte;
}

/** `docker`, `podman`, or what a manager wrote; null outside of one. */
async function containerOf(root: string): Promise<string | null> {
  const written = await line(`${root}/run/systemd/container`);
  if (written !== null) return written;
  if (await exists(`${root}/.dockerenv`)) return 'docker';
  return (await exists(`${root}/run/.containerenv`)) ? 'podman' : null;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
