/** A small disk that somebody fills up to the last byte. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Fault, quick } from './fault.ts';
import { loopDisk } from './loop-disk.ts';

const SIZE_MB = 64;
/** What lies there, and what comes and goes while all is well. */
const USED_MB = 16;
const MEGABYTE = 1024 * 1024;

const coming = `
const fs = require('fs');
let size = 0;
setInterval(() => {
  size = (size + 64 * 1024) % (1024 * 1024);
  try { fs.writeFileSync(process.argv[1], Buffer.alloc(size)); } catch {}
}, 300);
`;
const filling = `
const fs = require('fs');
const file = fs.openSync(process.argv[1], 'w');
setInterval(() => { try { fs.writeSync(file, Buffer.alloc(${MEGABYTE})); } catch {} }, 150);
`;

export const diskFill: Fault = {
  name: 'disk fill',
  setUp(workshop) {
    const { path } = loopDisk(workshop, 'small-disk', SIZE_MB);
    writeFileSync(join(path, 'data'), Buffer.alloc(USED_MB * MEGABYTE));
    workshop.script('coming-and-going', coming, join(path, 'log'));
    const filler = join(path, 'filler');
    let program: ReturnType<typeof workshop.script> | undefined;
    return {
      inputs: { 'linux.filesystem': { ...quick, exclude: mountPoints().filter((point) => point !== path) } },
      begin() {
        program = workshop.script('fill', filling, filler);
      },
      async end() {
        await program?.end('SIGKILL');
        rmSync(filler, { force: true });
      },
      isCause: ({ name, attributes }) =>
        name.startsWith('system.filesystem.') && attributes['system.filesystem.mountpoint'] === path,
    };
  },
};

function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mounts', 'utf8').trim().split('\n');
  return lines.map((line) => line.split(' ')[1]!);
}
