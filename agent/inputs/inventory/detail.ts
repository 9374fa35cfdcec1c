/**
 * The part of the inventory that costs 0.3 s of processor time and 10 MB: what `systeminformation` finds out by starting
 * programs. It runs in a child process of its own (`picket-agent inventory-child`), so that the agent never pays for it.
 */
import { messageOf } from '../../../shared/errors.ts';
import { limits } from '../../../shared/limits.ts';
import { countOf, known, recordsOf, textOf } from './bounded.ts';
import type { Inventory } from './parts.ts';

const maxModules = 64;
const maxDisks = 64;
const maxNetworks = 64;

/** What the child may write: the rest of the document is in the same record. */
export const maxDetailBytes = limits.recordBytes - 16 * 1024;

type Answer = Readonly<Record<string, unknown>>;

/** The questions that are asked; the module itself, or a test's. */
export interface Questions {
  system(): Promise<unknown>;
  baseboard(): Promise<unknown>;
  bios(): Promise<unknown>;
  cpu(): Promise<unknown>;
  mem(): Promise<unknown>;
  memLayout(): Promise<unknown>;
  osInfo(): Promise<unknown>;
  diskLayout(): Promise<unknown>;
  networkInterfaces(): Promise<unknown>;
}

export async function loadQuestions(): Promise<Questions> {
  return (await import('systeminformation')).default;
}

/** Asks one after the other; what fails is named in `missing`. Never rejects. */
export async function inventoryDetail(questions: Questions, identifiers: boolean): Promise<Inventory> {
  const missing: string[] = [];
  const ask = async (name: keyof Questions): Promise<unknown> => {
    try {
      return await questions[name]();
    } catch (error) {
      missing.push(`${name}: ${messageOf(error).slice(0, 120)}`);
      return null;
    }
  };
  const record = async (name: keyof Questions): Promise<Answer> => recordsOf([await ask(name)], 1)[0] ?? {};
  const system = await record('system');
  const os = await record('osInfo');
  const cpu = await record('cpu');
  const board = await record('baseboard');
  const bios = await record('bios');
  const memory = await record('mem');
  const modules = recordsOf(await ask('memLayout'), maxModules).map((module) => moduleOf(module, identifiers));
  const disks = recordsOf(await ask('diskLayout'), maxDisks).map((disk) => diskOf(disk, identifiers));
  const networks = recordsOf(await ask('networkInterfaces'), maxNetworks)
    .filter((network) => network.internal !== true)
    .map((network) => networkOf(network, identifiers));
  return {
    resource: known({
      ...resourceOf(system, os, cpu),
      'device.id': identifiers ? textOf(system.serial) : null,
    }),
    // Asked here and not in the agent, in which the tables of zones would stay.
    time: known({ zone: Intl.DateTimeFormat().resolvedOptions().timeZone }),
    board: known({ manufacturer: textOf(board.manufacturer), model: textOf(board.model) }),
    firmware: known({ vendor: textOf(bios.vendor), version: textOf(bios.version), date: textOf(bios.releaseDate) }),
    processor: known({
      sockets: countOf(cpu.processors),
      cores: countOf(cpu.physicalCores),
      threads: countOf(cpu.cores),
      highestGHz: countOf(cpu.speedMax),
    }),
    memory: known({ sizeBytes: countOf(memory.total), swapBytes: countOf(memory.swaptotal) }),
    // Without rights to the firmware's tables, or in a machine without them, there is one module that says nothing.
    memoryModules: modules.filter((module) => Object.keys(module).some((key) => key !== 'sizeBytes')),
    virtualisation: known({
      virtual: typeof system.virtual === 'boolean' ? system.virtual : null,
      host: textOf(system.virtualHost),
    }),
    disks,
    networks,
    ...(missing.length > 0 ? { missing } : {}),
  };
}

/** The document with its longest lists shortened until it fits; what was left out is named. */
export function fitted(inventory: Inventory, maxBytes: number): Inventory {
  let fit = inventory;
  for (const part of ['networks', 'memoryModules', 'disks'] as const) {
    for (let length = fit[part]?.length ?? 0; length > 0 && sizeOf(fit) > maxBytes; length >>= 1) {
      const missing = [...(inventory.missing ?? []), `${part}: too many for one record`];
      fit = { ...fit, [part]: fit[part]?.slice(0, length >> 1), missing };
    }
  }
  return fit;
}

function sizeOf(inventory: Inventory): number {
  return Buffer.byteLength(JSON.stringify(inventory));
}

function resourceOf(system: Answer, os: Answer, cpu: Answer): Record<string, string | null> {
  const brand = textOf(cpu.brand);
  const maker = textOf(cpu.manufacturer);
  return {
    'os.name': textOf(os.distro),
    'os.version': textOf(os.release),
    'os.build_id': textOf(os.build),
    'host.cpu.model.name': maker !== null && brand !== null && !brand.includes(maker) ? `${maker} ${brand}` : brand,
    'host.cpu.family': textOf(cpu.family),
    'host.cpu.model.id': textOf(cpu.model),
    'host.cpu.stepping': textOf(cpu.stepping),
    'device.manufacturer': textOf(system.manufacturer),
    'device.model.name': textOf(system.model),
    'device.model.identifier': textOf(system.sku),
  };
}

function moduleOf(module: Answer, identifiers: boolean): Record<string, string | number | boolean> {
  return known({
    slot: textOf(module.bank),
    sizeBytes: countOf(module.size),
    type: textOf(module.type),
    clockMHz: countOf(module.clockSpeed),
    manufacturer: textOf(module.manufacturer),
    model: textOf(module.partNum),
    errorCorrecting: typeof module.ecc === 'boolean' ? module.ecc : null,
    serial: identifiers ? textOf(module.serialNum) : null,
  });
}

function diskOf(disk: Answer, identifiers: boolean): Record<string, string | number | boolean> {
  return known({
    name: textOf(disk.device),
    model: textOf(disk.name),
    vendor: textOf(disk.vendor),
    type: textOf(disk.type),
    interface: textOf(disk.interfaceType),
    sizeBytes: countOf(disk.size),
    firmware: textOf(disk.firmwareRevision),
    smart: textOf(disk.smartStatus),
    serial: identifiers ? textOf(disk.serialNum) : null,
  });
}

function networkOf(network: Answer, identifiers: boolean): Record<string, string | number | boolean> {
  return known({
    name: textOf(network.iface),
    type: textOf(network.type),
    virtual: typeof network.virtual === 'boolean' ? network.virtual : null,
    speedMbit: countOf(network.speed),
    mtu: countOf(network.mtu),
    mac: identifiers ? textOf(network.mac) : null,
    ip4: identifiers ? textOf(network.ip4) : null,
    ip6: identifiers ? textOf(network.ip6) : null,
  });
}
