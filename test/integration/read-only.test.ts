/** A filesystem that the kernel makes read-only after an error: the real thing, on a loop device. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inputKinds } from '../../agent/inputs/registry.ts';
import { Collected, configOf, openInput, quietLog, readOnce } from '../contract/inputs-harness.ts';
import { until } from '../support/processes.ts';
import { System } from '../support/system.ts';

const undo: (() => void)[] = [];
let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) step();
  await system.close();
});

function sh(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** An ext4 image that is mounted, and the kernel's name of its device. */
function mountedDisk(): { device: string; point: string } {
  const image = join(system.directory, 'image');
  writeFileSync(image, Buffer.alloc(8 * 1024 * 1024));
  sh('mkfs.ext4', '-q', '-F', image);
  const device = sh('losetup', '--find', '--show', image);
  undo.push(() => void sh('losetup', '--detach', device));
  const point = system.path('disk with a blank');
  sh('mount', '-o', 'errors=remount-ro', device, point);
  undo.push(() => void sh('umount', '--lazy', point));
  return { device, point };
}

test('its mode and its count of errors are seen, and that it is gone', async () => {
  const { device, point } = mountedDisk();
  const host = {
    procRoot: '/proc',
    sysRoot: '/sys',
    root: '/',
    platform: process.platform,
    clock: { monotonicMs: () => 0, wallMs: () => 0 },
    log: quietLog,
  };
  const into = new Collected();
  const kind = inputKinds.get('linux.mounts')!;
  const opened = await openInput(kind, configOf(kind), host, into);
  const attributes = `{system.device="${device}",system.filesystem.mountpoint="${point}",system.filesystem.type="ext4"}`;
  let second = 0;
  const mode = async (): Promise<string | undefined> => {
    second++;
    await readOnce(opened, { monotonicMs: second * 1000, utcMs: second * 1000 });
    return into.states.get(`system.filesystem.mode${attributes}`);
  };
  expect(await mode()).toBe('rw');
  expect(into.values.get(`system.filesystem.errors${attributes}`)).toBe(0);

  const trigger = `/sys/fs/ext4/${device.replace('/dev/', '')}/trigger_fs_error`;
  expect(existsSync(trigger)).toBe(true);
  writeFileSync(trigger, 'a test');
  await until('it is read-only', async () => (await mode()) === 'ro');
  expect(into.values.get(`system.filesystem.errors${attributes}`)).toBe(1);
  expect(() => writeFileSync(join(point, 'file'), 'x')).toThrow('EROFS');

  sh('umount', point);
  undo.pop();
  expect(await mode()).toBe('gone');
  expect(into.values.has(`system.filesystem.errors${attributes}`)).toBe(false);
  await opened.input.close();
});
