/** A small disk of its own: an ext4 image on a loop device. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sh, type Workshop } from './fault.ts';
import { imageName } from './sweep.ts';

export interface LoopDisk {
  /** `loop3` */
  readonly name: string;
  /** Where it is mounted. */
  readonly path: string;
}

/** Taken away with the workshop. */
export function loopDisk(workshop: Workshop, name: string, sizeMB: number): LoopDisk {
  const image = join(workshop.system.directory, imageName(name));
  writeFileSync(image, '');
  truncateSync(image, sizeMB * 1024 * 1024);
  sh('mkfs.ext4', '-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
  const device = sh('losetup', '--find', '--show', '--direct-io=on', image).trim();
  workshop.defer(() => void sh('losetup', '--detach', device));
  const path = workshop.system.path(name);
  sh('mount', device, path);
  workshop.defer(() => void sh('umount', '--lazy', path));
  return { name: device.replace('/dev/', ''), path };
}
