/**
 * The rules that every agent has. Few, and silent on a healthy machine: what is a matter of taste (a busy processor, a
 * full cache) is left to the detectors. Limits follow the size of the thing: five per cent of a small card are little,
 * of a large disk they are plenty.
 */
import { MINUTE_MS } from '../limits.ts';
import type { OwnLimit, Rule } from './rule.ts';

const GIGABYTE = 1e9;

/** Of a filesystem's size, and at most so many bytes. Small ones (firmware, boot) are full by nature. */
function freeSpace(share: number, atMost: number): OwnLimit {
  return {
    metric: 'system.filesystem.limit',
    unit: 'By',
    attributes: { 'system.filesystem.state': null },
    share,
    plus: 0,
    atMost,
    least: GIGABYTE / 2,
  };
}

/** Below what the sensor itself calls critical. */
function ownCritical(plus: number): OwnLimit {
  return {
    metric: 'hw.temperature.limit',
    unit: 'Cel',
    attributes: { 'hw.limit_type': 'high.critical' },
    share: 1,
    plus,
    atMost: Number.POSITIVE_INFINITY,
    least: Number.NEGATIVE_INFINITY,
  };
}

/** Images and media that are written once, in whole. */
const images = { 'system.filesystem.type': 'squashfs|erofs|iso9660|udf|cramfs' };
const free = { 'system.filesystem.state': 'free' };
const ofAll = { where: {}, except: {} };

export const shippedRules: readonly Rule[] = [
  {
    id: 'disk-space-low',
    selector: { metric: 'system.filesystem.usage', where: free, except: images },
    condition: {
      kind: 'threshold',
      side: 'below',
      limit: freeSpace(0.05, 5 * GIGABYTE),
      clear: freeSpace(0.07, 7 * GIGABYTE),
    },
    forMs: 5 * MINUTE_MS,
    clearForMs: 5 * MINUTE_MS,
    severity: 'warning',
    text: 'little space is left on {it}',
    advice: 'Find what grows (`du -x -d 2 MOUNTPOINT`), delete or move it, or make the filesystem larger.',
  },
  {
    id: 'disk-space-critical',
    selector: { metric: 'system.filesystem.usage', where: free, except: images },
    condition: {
      kind: 'threshold',
      side: 'below',
      limit: freeSpace(0.01, GIGABYTE / 2),
      clear: freeSpace(0.02, GIGABYTE),
    },
    forMs: MINUTE_MS,
    clearForMs: 5 * MINUTE_MS,
    severity: 'critical',
    text: 'almost no space is left on {it}',
    advice:
      'Free space now: what writes there fails when nothing is left. Find what grows with `du -x -d 2 MOUNTPOINT`.',
  },
  {
    id: 'inodes-low',
    selector: { metric: 'system.filesystem.inodes.utilization', where: {}, except: images },
    condition: { kind: 'threshold', side: 'above', limit: 0.97, clear: 0.95 },
    forMs: 5 * MINUTE_MS,
    clearForMs: 5 * MINUTE_MS,
    severity: 'warning',
    text: 'the filesystem {it} can hold few more files',
    advice:
      'Delete small files that nobody needs (caches, sessions, old mail); `du --inodes -x -d 2 MOUNTPOINT` finds them.',
  },
  {
    id: 'filesystem-read-only',
    selector: { metric: 'system.filesystem.mode', ...ofAll },
    condition: { kind: 'state', is: ['ro'], was: ['rw'] },
    forMs: 10_000,
    clearForMs: 10_000,
    severity: 'critical',
    text: 'the filesystem {it} was writable and is read-only now',
    advice:
      'The kernel does this after errors of the disk: see `dmesg`, save what is there, check the disk and the filesystem.',
  },
  {
    id: 'filesystem-errors',
    selector: { metric: 'system.filesystem.errors', ...ofAll },
    condition: { kind: 'threshold', side: 'above', limit: 0, clear: 0 },
    forMs: 0,
    clearForMs: 0,
    severity: 'warning',
    text: 'the filesystem on {it} has recorded errors',
    advice:
      'Save what is there, check the filesystem (`e2fsck -f` while it is not mounted) and the health of the disk.',
  },
  {
    id: 'filesystem-hangs',
    selector: { metric: 'system.filesystem.answers', ...ofAll },
    condition: { kind: 'state', is: ['no'], was: null },
    forMs: MINUTE_MS,
    clearForMs: MINUTE_MS,
    severity: 'warning',
    text: 'the filesystem at {it} does not answer',
    advice: 'Whatever touches it hangs: check its disk, or the server and the network behind it.',
  },
  {
    id: 'oom-kill',
    selector: { metric: 'system.linux.memory.oom_kills', ...ofAll },
    condition: { kind: 'threshold', side: 'above', limit: 0, clear: 0 },
    forMs: 0,
    clearForMs: 10 * MINUTE_MS,
    severity: 'warning',
    text: 'the kernel killed a process for want of memory',
    advice: '`dmesg` names the process; find what took the memory, or give the machine or the container more.',
  },
  {
    id: 'temperature-critical',
    selector: { metric: 'hw.temperature', ...ofAll },
    condition: { kind: 'threshold', side: 'above', limit: ownCritical(-2), clear: ownCritical(-7) },
    forMs: 30_000,
    clearForMs: MINUTE_MS,
    severity: 'critical',
    text: 'the temperature of {it} is at what its own sensor calls critical',
    advice: 'Check fans, dust and the room; the machine throttles or switches itself off above it.',
  },
  {
    id: 'cpu-throttled',
    selector: { metric: 'system.linux.cpu.throttled', ...ofAll },
    condition: { kind: 'threshold', side: 'above', limit: 0.25, clear: 0.1 },
    forMs: 5 * MINUTE_MS,
    clearForMs: 5 * MINUTE_MS,
    severity: 'warning',
    text: 'the processor is held back for its temperature much of the time',
    advice: 'Check fans, dust and the room; until then work takes longer than it should.',
  },
  {
    id: 'board-throttled',
    selector: {
      metric: 'hw.throttled',
      where: { 'hw.throttle.cause': 'throttled|frequency_capped' },
      except: {},
    },
    condition: { kind: 'state', is: ['yes'], was: null },
    forMs: 5 * MINUTE_MS,
    clearForMs: 5 * MINUTE_MS,
    severity: 'warning',
    text: 'the board holds its processor back',
    advice: 'Check cooling and power supply; until then work takes longer than it should.',
  },
  {
    id: 'under-voltage',
    selector: { metric: 'hw.lcrit_alarm', where: { 'hw.parent': 'rpi_volt*' }, except: {} },
    condition: { kind: 'state', is: ['alarm'], was: null },
    forMs: 0,
    clearForMs: 10 * MINUTE_MS,
    severity: 'critical',
    text: 'the board has too little voltage',
    advice:
      'Use a stronger power supply and a shorter, thicker cable: under-voltage corrupts cards and crashes boards.',
  },
  {
    id: 'board-under-voltage',
    selector: { metric: 'hw.throttled', where: { 'hw.throttle.cause': 'under_voltage' }, except: {} },
    condition: { kind: 'state', is: ['yes'], was: null },
    forMs: 0,
    clearForMs: 10 * MINUTE_MS,
    severity: 'critical',
    text: 'the firmware of the board says that it has too little voltage',
    advice:
      'Use a stronger power supply and a shorter, thicker cable: under-voltage corrupts cards and crashes boards.',
  },
  {
    id: 'storage-worn',
    selector: {
      metric: 'hw.physical_disk.endurance_utilization',
      where: { 'hw.physical_disk.state': 'remaining' },
      except: {},
    },
    condition: { kind: 'threshold', side: 'below', limit: 0.1, clear: 0.1 },
    forMs: 0,
    clearForMs: 0,
    severity: 'warning',
    text: 'the flash memory {it} has used up nine tenths of its life',
    advice: 'Plan its replacement, and keep a copy of what is there; write less (logs, swap) until then.',
  },
  {
    id: 'storage-worn-out',
    selector: { metric: 'hw.physical_disk.pre_eol', ...ofAll },
    condition: { kind: 'state', is: ['urgent'], was: null },
    forMs: 0,
    clearForMs: 0,
    severity: 'critical',
    text: 'the flash memory {it} has almost no spare blocks left',
    advice: 'Save what is there and replace it now: it turns read-only, or loses data, without further notice.',
  },
  {
    id: 'clock-unsynchronised',
    selector: { metric: 'system.clock.synchronization', ...ofAll },
    condition: { kind: 'state', is: ['no'], was: null },
    forMs: 30 * MINUTE_MS,
    clearForMs: 0,
    severity: 'warning',
    text: 'the clock has found no time server',
    advice: 'Check the time servers that are configured and the way to them (UDP port 123).',
  },
  {
    id: 'clock-synchronisation-stopped',
    selector: { metric: 'system.clock.synchronization', ...ofAll },
    condition: { kind: 'state', is: ['stopped'], was: null },
    forMs: 15 * MINUTE_MS,
    clearForMs: 0,
    severity: 'warning',
    text: 'the time service has ended: the clock is no longer synchronised',
    advice: 'Look at the time service (`systemctl status systemd-timesyncd chrony`) and start it.',
  },
  {
    id: 'unit-failed',
    selector: { metric: 'systemd.unit.state', ...ofAll },
    condition: { kind: 'state', is: ['failed'], was: null },
    forMs: MINUTE_MS,
    clearForMs: 0,
    severity: 'warning',
    text: 'the unit {it} has failed',
    advice: 'See why (`systemctl status UNIT`, `journalctl -u UNIT`), then `systemctl restart UNIT` or `reset-failed`.',
  },
  {
    id: 'process-gone',
    selector: { metric: 'process.watched.count', ...ofAll },
    condition: { kind: 'threshold', side: 'below', limit: 1, clear: 1 },
    forMs: 2_000,
    clearForMs: 5_000,
    severity: 'critical',
    text: 'the process {it} does not run',
    advice: 'Start it, and look into its log for why it ended.',
  },
];
