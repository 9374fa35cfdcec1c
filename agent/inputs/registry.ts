/**
 * Every kind of input that there is, by the name that the configuration calls it. A new one is a file, a line here, a
 * golden folder, and its generated documentation.
 */

import { certificates } from './certificates.ts';
import type { InputKind } from './input.ts';
import { inventory } from './inventory.ts';
import { battery } from './linux/battery.ts';
import { clockSync } from './linux/clock-sync.ts';
import { cpu } from './linux/cpu.ts';
import { disk } from './linux/disk.ts';
import { files } from './linux/files.ts';
import { filesystem } from './linux/filesystem.ts';
import { flashWear } from './linux/flash-wear.ts';
import { frequency } from './linux/frequency.ts';
import { load } from './linux/load.ts';
import { memory } from './linux/memory.ts';
import { mountModes } from './linux/mount-modes.ts';
import { network } from './linux/network.ts';
import { paging } from './linux/paging.ts';
import { pressure } from './linux/pressure.ts';
import { processes } from './linux/processes.ts';
import { sensors } from './linux/sensors.ts';
import { sockets } from './linux/sockets.ts';
import { throttling } from './linux/throttling.ts';
import { units } from './linux/units.ts';
import { uptime } from './linux/uptime.ts';
import { watchedProcess } from './linux/watched-process.ts';
import { modbus } from './modbus.ts';
import { systemInformation } from './system-information.ts';

/**
 * A kind whose configuration's type is not known here. What its own schema has parsed goes to its own `timing` and
 * `open` and nowhere else, which is what makes this sound.
 */
export type AnyInputKind = InputKind<unknown>;

export const inputKinds: ReadonlyMap<string, AnyInputKind> = new Map([
  ['linux.cpu', any(cpu)],
  ['linux.load', any(load)],
  ['linux.memory', any(memory)],
  ['linux.paging', any(paging)],
  ['linux.pressure', any(pressure)],
  ['linux.disk', any(disk)],
  ['linux.filesystem', any(filesystem)],
  ['linux.network', any(network)],
  ['linux.sockets', any(sockets)],
  ['linux.files', any(files)],
  ['linux.processes', any(processes)],
  ['linux.sensors', any(sensors)],
  ['linux.battery', any(battery)],
  ['linux.frequency', any(frequency)],
  ['linux.uptime', any(uptime)],
  ['linux.clock', any(clockSync)],
  ['linux.mounts', any(mountModes)],
  ['linux.throttling', any(throttling)],
  ['systemd', any(units)],
  ['process', any(watchedProcess)],
  ['linux.wear', any(flashWear)],
  ['certificates', any(certificates)],
  ['inventory', any(inventory)],
  ['modbus', any(modbus)],
  ['system-information', any(systemInformation)],
]);

function any<C>(kind: InputKind<C>): AnyInputKind {
  return kind as unknown as AnyInputKind;
}
