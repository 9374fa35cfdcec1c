import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Collected, configOf, hostBelow, openInput, quietLog, readOnce } from '../../test/contract/inputs-harness.ts';
import type { Host, InputKind } from './input.ts';
import { outputOf } from './inventory/child.ts';
import { fitted, inventoryDetail, maxDetailBytes, type Questions } from './inventory/detail.ts';
import type { Inventory } from './inventory/parts.ts';
import { type AskChild, inventoryKind } from './inventory.ts';

const root = path.join(import.meta.dirname, '../../test/golden/inventory/server/input');
const at = { monotonicMs: 1000, utcMs: 1_795_435_200_000 };

async function documentOf(ask: AskChild, settings: object = {}, host: Host = hostBelow(root)): Promise<Inventory> {
  const kind = inventoryKind(ask) as unknown as InputKind<unknown>;
  const into = new Collected();
  const opened = await openInput(kind, configOf(kind, settings), host, into);
  await readOnce(opened, at);
  await opened.input.close();
  return into.documents.get('inventory') as Inventory;
}

describe('the document', () => {
  test('is of files and child together; on Linux the files win', async () => {
    const detail = {
      resource: { 'os.version': '0', 'device.model.identifier': 'SKU=1' },
      disks: [{ name: 'sda' }],
      networks: [],
      memory: {},
    };
    const found = await documentOf(async () => JSON.stringify(detail));
    expect(found.resource).toMatchObject({
      'os.version': '9.4',
      'device.model.identifier': 'SKU=1',
      'host.name': 'db-1',
    });
    expect(found.disks).toEqual([{ name: 'sda' }]);
    expect(Object.keys(found).sort()).toEqual([
      'board',
      'disks',
      'firmware',
      'kernel',
      'memory',
      'processor',
      'resource',
      'virtualisation',
    ]);
  });

  test.each<[string, AskChild, RegExp]>([
    ['fails', async () => Promise.reject(new Error('no such program')), /no such program/],
    ['writes rubbish', async () => '{"resource"', /JSON/],
    ['writes another thing', async () => '[1]', /wrote no inventory/],
  ])('has what the files tell when the child %s, and says what is missing', async (_how, ask, why) => {
    const warnings: string[] = [];
    const log = { ...quietLog, warn: (_facts: object, text: string) => void warnings.push(text) };
    const found = await documentOf(ask, {}, { ...hostBelow(root), log });
    expect(found.resource['device.model.name']).toBe('PowerEdge R640');
    expect(found.missing?.[0]).toMatch(why);
    expect(warnings).toEqual([expect.stringMatching(why)]);
  });

  test('asks the child for identifiers only where the operator wants them', async () => {
    const asked: boolean[] = [];
    const ask: AskChild = async (identifiers) => {
      asked.push(identifiers);
      return '{"resource":{}}';
    };
    await documentOf(ask);
    const found = await documentOf(ask, { identifiers: true });
    expect(asked).toEqual([false, true]);
    expect(found.resource['device.id']).toBe('CN7792184');
  });

  test('is looked at once a day, everywhere, without being configured', () => {
    const kind = inventoryKind(async () => '') as unknown as InputKind<unknown>;
    expect(kind.timing(configOf(kind))).toEqual({ intervalMs: 86_400_000, deadlineMs: 30_000 });
    expect(kind.automatic({ ...hostBelow(root), platform: 'win32' })).toBe(true);
  });
});

const answers: Questions = {
  system: async () => ({
    manufacturer: 'Acme',
    model: 'X1',
    serial: 'SN-1',
    sku: '-',
    virtual: false,
    virtualHost: '',
  }),
  baseboard: async () => ({ manufacturer: 'Default string', model: 'B1', serial: 'SN-2' }),
  bios: async () => ({ vendor: 'AMI', version: '5\u001b[0m', releaseDate: '2024-01-02', serial: 'SN-3' }),
  cpu: async () => ({
    manufacturer: 'Intel',
    brand: 'Core i5',
    family: '6',
    cores: 8,
    physicalCores: 4,
    processors: 1,
    speedMax: 4.2,
  }),
  mem: async () => ({ total: 16e9, swaptotal: 0 }),
  memLayout: async () => [
    { size: 16e9, bank: 'A1', type: 'DDR4', clockSpeed: 3200, manufacturer: 'Unknown', serialNum: 'SN-4', ecc: false },
    { size: 16e9, bank: '', type: '', clockSpeed: 0 },
  ],
  osInfo: async () => ({ distro: 'macOS', release: '15.1', build: '24B83', serial: 'SN-5' }),
  diskLayout: async () => [{ device: 'sda', name: 'SSD', size: 5e11, type: 'SSD', serialNum: 'SN-6' }],
  networkInterfaces: async () => [
    { iface: 'lo', internal: true },
    {
      iface: 'en0',
      mac: '02:00:00:00:00:01',
      ip4: '192.0.2.9',
      ip6: 'fe80::1',
      type: 'wired',
      speed: 1000,
      internal: false,
    },
  ],
};

describe('what systeminformation answers', () => {
  test('becomes attributes of OpenTelemetry, without what says nothing and without identifiers', async () => {
    const found = await inventoryDetail(answers, false);
    expect(found).toEqual({
      time: { zone: Intl.DateTimeFormat().resolvedOptions().timeZone },
      resource: {
        'os.name': 'macOS',
        'os.version': '15.1',
        'os.build_id': '24B83',
        'host.cpu.model.name': 'Intel Core i5',
        'host.cpu.family': '6',
        'device.manufacturer': 'Acme',
        'device.model.name': 'X1',
      },
      board: { model: 'B1' },
      firmware: { vendor: 'AMI', version: '5 [0m', date: '2024-01-02' },
      processor: { sockets: 1, cores: 4, threads: 8, highestGHz: 4.2 },
      memory: { sizeBytes: 16e9 },
      memoryModules: [{ slot: 'A1', sizeBytes: 16e9, type: 'DDR4', clockMHz: 3200, errorCorrecting: false }],
      virtualisation: { virtual: false },
      disks: [{ name: 'sda', model: 'SSD', type: 'SSD', sizeBytes: 5e11 }],
      networks: [{ name: 'en0', type: 'wired', speedMbit: 1000 }],
    });
    expect(JSON.stringify(found)).not.toMatch(/SN-|02:00|192\.0\.2|fe80/);
  });

  test('has serial numbers and addresses where they are wanted', async () => {
    const text = JSON.stringify(await inventoryDetail(answers, true));
    for (const identifier of ['SN-1', 'SN-4', 'SN-6', '02:00:00:00:00:01', '192.0.2.9', 'fe80::1']) {
      expect(text).toContain(identifier);
    }
  });

  test('may be rubbish in parts: they are left out, and what threw is named', async () => {
    const found = await inventoryDetail(
      {
        ...answers,
        cpu: async () => null,
        diskLayout: async () => 'none',
        memLayout: async () => [null, 7, { bank: { a: 1 }, size: Number.NaN, type: 'x'.repeat(9000) }],
        bios: async () => Promise.reject(new Error('dmidecode: not found')),
      },
      false,
    );
    expect(found.processor).toEqual({});
    expect(found.disks).toEqual([]);
    expect(found.memoryModules).toEqual([{ type: 'x'.repeat(128) }]);
    expect(found.missing).toEqual(['bios: dmidecode: not found']);
  });

  test('always fits into its record', async () => {
    const long = (i: number): object => ({ device: `sd${i}`, name: '€'.repeat(500), vendor: '€'.repeat(500), size: i });
    const many = { ...answers, diskLayout: async () => Array.from({ length: 5000 }, (_, i) => long(i)) };
    const found = fitted(await inventoryDetail(many, true), maxDetailBytes);
    expect(Buffer.byteLength(JSON.stringify(found))).toBeLessThanOrEqual(maxDetailBytes);
    expect(found.disks!.length).toBeGreaterThan(0);
    expect(found.missing).toContain('disks: too many for one record');
  });
});

describe('the child', () => {
  const run = (script: string, more: object = {}): Promise<string> =>
    outputOf([process.execPath, '-e', script], {
      deadlineMs: 10_000,
      maxBytes: 1000,
      signal: new AbortController().signal,
      ...more,
    });

  test('gives what it writes', async () => {
    expect(await run("process.stdout.write('grüezi')")).toBe('grüezi');
  });

  test.each<[string, string, object, RegExp]>([
    ['ends badly', 'process.exit(3)', {}, /ended with 3/],
    ['writes too much', "setInterval(() => process.stdout.write('x'.repeat(600)), 1)", {}, /more than 1000 bytes/],
    ['does not end', 'setInterval(() => {}, 1000)', { deadlineMs: 300 }, /did not end within 300 ms/],
    ['is not wanted any more', 'setInterval(() => {}, 1000)', { signal: AbortSignal.abort() }, /was stopped/],
  ])('that %s is an error', async (_how, script, more, why) => {
    await expect(run(script, more)).rejects.toThrow(why);
  });

  test('that is not there is an error', async () => {
    const signal = new AbortController().signal;
    await expect(outputOf(['/no/such/program'], { deadlineMs: 1000, maxBytes: 10, signal })).rejects.toThrow(
      /could not be started/,
    );
  });
});
