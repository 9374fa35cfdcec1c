/** A disk (an image on a loop device) that small writes go to, until somebody writes large ones without end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../processes.ts';
import { type Fault, quick } from './fault.ts';
import { loopDisk } from './loop-disk.ts';

const SIZE_MB = 128;
const WRITERS = 4;

/** 4 KB for certain, ten times a second. */
const usual = `
const fs = require('fs');
const file = fs.openSync(process.argv[1], fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_DSYNC);
setInterval(() => fs.writeSync(file, Buffer.alloc(4096, 1), 0, 4096, 4096 * Math.floor(64 * Math.random())), 100);
`;
/** 2 MB for certain, as fast as it goes. */
const heavy = `
const fs = require('fs');
const file = fs.openSync(process.argv[1], fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_DSYNC);
const bytes = Buffer.alloc(2 * 1024 * 1024, 1);
(function go() { fs.write(file, bytes, 0, bytes.length, 0, go); })();
`;

export const diskLatency: Fault = {
  name: 'disk latency',
  setUp(workshop) {
    const { name, path } = loopDisk(workshop, 'slow-disk', SIZE_MB);
    workshop.script('usual-writer', usual, join(path, 'usual'));
    let writers: Program[] = [];
    return {
      inputs: { 'linux.disk': { ...quick, exclude: devices().filter((other) => other !== name) } },
      needs: { 'linux.disk': { exclude: ['ram*'] } },
      begin() {
        const file = (i: number): string => join(path, `heavy-${i}`);
        writers = Array.from({ length: WRITERS }, (_, i) => workshop.script(`heavy-writer-${i}`, heavy, file(i)));
      },
      async end() {
        await Promise.all(writers.map((program) => program.end('SIGKILL')));
      },
      isCause: (key) => key.name.startsWith('system.disk.') && key.attributes['system.device'] === name,
    };
  },
};

function devices(): string[] {
  const lines = readFileSync('/proc/diskstats', 'utf8').trim().split('\n');
  return lines.map((line) => line.trim().split(/\s+/)[2]!);
}
