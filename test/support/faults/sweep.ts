/**
 * Takes away what runs left behind that were killed before they could: mounts, loop devices and network namespaces
 * outlive the process that made them. Each bears the number of that process; only of those that are gone anything is taken.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { sh } from './fault.ts';

/** As the kernel shows the file behind a loop device, deleted or not. */
const image = /^(\/dev\/loop\d+)\s+(\/.*\/picket-system-[^/]+\/[^/]+\.(\d+)\.image)/;
const namespace = /^(picket-(?:near|far)-(\d+))\b/;

/** Name of an image of this process. */
export function imageName(name: string): string {
  return `${name}.${process.pid}.image`;
}

/** Name of a network namespace of this process. */
export function namespaceName(end: 'near' | 'far'): string {
  return `picket-${end}-${process.pid}`;
}

export function sweepLeftovers(): void {
  for (const [, device, file, owner] of matches(
    image,
    'losetup',
    '--list',
    '--noheadings',
    '--output',
    'NAME,BACK-FILE',
  )) {
    if (isAlive(owner!)) continue;
    for (const mount of mountsOf(device!)) sh('umount', '--lazy', mount);
    // A device that was still mounted is detached with its last mount.
    if (existsSync(`/sys/block/${device!.slice('/dev/'.length)}/loop`)) sh('losetup', '--detach', device!);
    rmSync(dirname(file!), { recursive: true, force: true });
  }
  for (const [, name, owner] of matches(namespace, 'ip', 'netns', 'list')) {
    if (!isAlive(owner!)) sh('ip', 'netns', 'del', name!);
  }
}

function matches(pattern: RegExp, program: string, ...args: readonly string[]): RegExpExecArray[] {
  const lines = sh(program, ...args).split('\n');
  return lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
}

function mountsOf(device: string): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')).flatMap(([from, to]) => (from === device ? [to!] : []));
}

function isAlive(pid: string): boolean {
  return existsSync(`/proc/${pid}`);
}
